package completions;

import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;

/** What a reply's headers say: how long to wait, whether to try again, which limits there are. */
public final class ReplyHeaders {
  private static final double LONGEST_SECONDS = Duration.ofDays(366).toSeconds();

  private ReplyHeaders() {}

  /** Returns the seconds that the service asks to wait, or null where it asks nothing sensible. */
  public static Double retryAfter(HttpHeaders headers, Instant now) {
    Double milliseconds = number(headers.firstValue("retry-after-ms").orElse(""));
    if (milliseconds != null) {
      return sensible(milliseconds / 1000);
    }
    String value = headers.firstValue("retry-after").orElse("");
    Double seconds = number(value);
    if (seconds != null) {
      return sensible(seconds);
    }
    try {
      Instant date = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return sensible(Duration.between(now, date).toMillis() / 1000.0);
    } catch (DateTimeException error) {
      return null;
    }
  }

  /**
   * Returns the seconds before another attempt, or null where there shall be none.
   *
   * @param status 0 where the connection failed before a reply
   * @param random a random number from 0 to 1
   */
  public static Double retryWait(
      int status, HttpHeaders headers, int retriesTaken, double random, Instant now) {
    String wish = headers.firstValue("x-should-retry").orElse("");
    boolean byStatus = status == 0 || Set.of(408, 409, 429).contains(status) || status >= 500;
    if (!wish.equals("true") && (!byStatus || wish.equals("false"))) {
      return null;
    }
    Double asked = retryAfter(headers, now);
    double backoff = Math.min(0.5 * Math.pow(2, retriesTaken), 8) * (1 - 0.25 * random);
    return asked != null ? asked : Double.valueOf(backoff);
  }

  /** One limit; what the headers do not say is null. */
  public record RateLimit(Long limit, Long remaining, Instant reset) {}

  /** Returns the limit of {@code requests}, {@code tokens} and so on; null where nothing is told of it. */
  public static RateLimit rateLimit(HttpHeaders headers, String kind) {
    String prefix = "anthropic-ratelimit-" + kind;
    String limit = headers.firstValue(prefix + "-limit").orElse("");
    String remaining = headers.firstValue(prefix + "-remaining").orElse("");
    String reset = headers.firstValue(prefix + "-reset").orElse("");
    if ((limit + remaining + reset).isEmpty()) {
      return null;
    }
    Instant time = null;
    try {
      time = OffsetDateTime.parse(reset).toInstant();
    } catch (DateTimeException error) {
      // Left null.
    }
    return new RateLimit(count(limit), count(remaining), time);
  }

  private static Long count(String value) {
    return value.matches("[0-9]{1,18}") ? Long.valueOf(value) : null;
  }

  private static Double number(String value) {
    return value.matches("-?[0-9]+(\\.[0-9]+)?") ? Double.valueOf(value) : null;
  }

  private static Double sensible(double seconds) {
    return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : null;
  }
}
