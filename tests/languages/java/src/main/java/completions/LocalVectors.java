package completions;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import completions.Vectors.Outcome;
import completions.client.ApiClient;
import java.net.http.HttpHeaders;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** The vectors that need no server. */
final class LocalVectors {
  private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

  private final Instant now;

  LocalVectors(Instant now) {
    this.now = now;
  }

  Outcome checkRetryAfter(JsonNode vector, String baseUrl) {
    return outcome(vector.get("seconds"), ReplyHeaders.retryAfter(headers(vector), now));
  }

  Outcome checkRetry(JsonNode vector, String baseUrl) {
    int status = vector.get("status").asInt();
    int taken = vector.get("retries_taken").asInt();
    double random = vector.get("random").asDouble();
    return outcome(
        vector.get("wait"), ReplyHeaders.retryWait(status, headers(vector), taken, random, now));
  }

  Outcome checkRateLimits(JsonNode vector, String baseUrl) {
    ObjectNode limits = MAPPER.createObjectNode();
    for (String kind : List.of("requests", "tokens", "input_tokens", "output_tokens")) {
      ReplyHeaders.RateLimit limit = ReplyHeaders.rateLimit(headers(vector), kind.replace('_', '-'));
      ObjectNode fields = limit == null ? null : MAPPER.createObjectNode();
      if (limit != null) {
        fields.put("limit", limit.limit()).put("remaining", limit.remaining());
        fields.put("reset", limit.reset() == null ? null : limit.reset().toString());
      }
      limits.set(kind, fields);
    }
    // Through text, as numbers of different width are not equal.
    return new Outcome(text(vector.get("rate_limits")), text(limits));
  }

  Outcome checkValidate(JsonNode vector, String baseUrl) {
    Prompts.Verdict verdict = Prompts.validate(vector.get("prompt").asText());
    ObjectNode expected = vector.deepCopy();
    expected.retain("ok", "reason", "message", "sanitised");
    ObjectNode actual = MAPPER.valueToTree(verdict);
    actual.properties().removeIf(field -> field.getValue().isNull());
    return new Outcome(expected, actual);
  }

  Outcome checkParse(JsonNode vector, String baseUrl) {
    ObjectNode expected = vector.deepCopy();
    expected.retain("system", "turns");
    return new Outcome(expected, MAPPER.valueToTree(Prompts.parse(vector.get("prompt").asText())));
  }

  Outcome checkBuild(JsonNode vector, String baseUrl) {
    List<Prompts.Turn> turns =
        MAPPER.convertValue(vector.get("turns"), new TypeReference<List<Prompts.Turn>>() {});
    boolean openTurn = vector.path("open_turn").asBoolean(true);
    boolean allowMarkers = vector.path("allow_markers").asBoolean(false);
    String prompt;
    try {
      prompt = Prompts.build(turns, openTurn, allowMarkers);
    } catch (IllegalArgumentException error) {
      prompt = null; // A vector without a prompt is refused.
    }
    return outcome(vector.path("prompt"), prompt);
  }

  private static HttpHeaders headers(JsonNode vector) {
    Map<String, List<String>> fields =
        MAPPER.convertValue(vector.get("headers"), new TypeReference<Map<String, String>>() {}).entrySet().stream()
            .collect(java.util.stream.Collectors.toMap(Map.Entry::getKey, entry -> List.of(entry.getValue())));
    return HttpHeaders.of(fields, (name, value) -> true);
  }

  private static Outcome outcome(JsonNode expected, Object actual) {
    JsonNode wanted = expected.isNumber() ? MAPPER.valueToTree(expected.asDouble()) : expected;
    return new Outcome(wanted.isMissingNode() ? MAPPER.nullNode() : wanted, MAPPER.valueToTree(actual));
  }

  private static JsonNode text(JsonNode value) {
    return MAPPER.getNodeFactory().textNode(value.toString());
  }
}
