package completions;

import java.net.http.HttpHeaders;
import java.time.Instant;

/** What went wrong with a call. */
public final class CompletionException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String kind;
  private final String detail;
  private final int status;
  private final String requestId;
  private final Double retryAfter;

  CompletionException(
      String kind, String detail, String bodyRequestId, int status, HttpHeaders headers, Throwable cause) {
    super(detail == null ? kind : kind + ": " + detail, cause);
    this.kind = kind;
    this.detail = detail;
    this.status = status;
    this.requestId = headers.firstValue("request-id").orElse(bodyRequestId);
    this.retryAfter = ReplyHeaders.retryAfter(headers, Instant.now());
  }

  /** The API's error type; or {@code unknown}, {@code invalid} (no completion), {@code incomplete}. */
  public String kind() {
    return kind;
  }

  /** The API's own words, or null. */
  public String detail() {
    return detail;
  }

  /** The HTTP status; 0 where there was no reply. */
  public int status() {
    return status;
  }

  /** What names the exchange at Anthropic, or null. */
  public String requestId() {
    return requestId;
  }

  /** Seconds after which to try again, or null. */
  public Double retryAfter() {
    return retryAfter;
  }
}
