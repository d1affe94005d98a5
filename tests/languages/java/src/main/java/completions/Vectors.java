package completions;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import completions.client.ApiClient;
import completions.model.Completion;
import completions.model.CompletionRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Runs the vectors against the vector server; see ../server.py. */
public final class Vectors {
  private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

  private int passed;
  private int failures;

  private Vectors() {}

  /** Two JSON values that should be equal. */
  record Outcome(JsonNode expected, JsonNode actual) {}

  private interface Check {
    Outcome run(JsonNode vector, String baseUrl) throws Exception;
  }

  public static void main(String[] arguments) throws IOException {
    Vectors vectors = new Vectors();
    vectors.run("constants", "markers", Vectors::checkMarker);
    vectors.run("requests", "requests", Vectors::checkRequest);
    vectors.run("replies", "replies", Vectors::checkReply);
    vectors.run("streams", "streams", Vectors::checkStream);
    String now = read("retries", "now").asText();
    LocalVectors local =
        new LocalVectors(ZonedDateTime.parse(now, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    vectors.run("retries", "retry_after", local::checkRetryAfter);
    vectors.run("retries", "retries", local::checkRetry);
    vectors.run("rate_limits", "rate_limits", local::checkRateLimits);
    vectors.run("prompts", "validate", local::checkValidate);
    vectors.run("prompts", "parse", local::checkParse);
    vectors.run("prompts", "build", local::checkBuild);
    if (vectors.failures > 0) {
      System.err.printf("java: %d vectors failed%n", vectors.failures);
      System.exit(1);
    }
    System.out.printf("java: %d vectors passed%n", vectors.passed);
  }

  private static JsonNode read(String file, String entry) throws IOException {
    Path path = Path.of(System.getenv("VECTORS"), file + ".json");
    return MAPPER.readTree(Files.readString(path)).get(entry);
  }

  private void run(String file, String group, Check check) throws IOException {
    JsonNode vectors = read(file, group);
    for (int index = 0; index < vectors.size(); index++) {
      JsonNode vector = vectors.get(index);
      Object outcome;
      try {
        outcome = check.run(vector, System.getenv("VECTORS_URL") + "/" + group + "/" + index);
      } catch (Exception error) {
        outcome = error;
      }
      if (outcome instanceof Outcome result && result.expected().equals(result.actual())) {
        passed++;
      } else {
        failures++;
        System.err.printf("java: %s: %s%n  %s%n", group, vector.get("name"), outcome);
      }
    }
  }

  private static Outcome checkMarker(JsonNode vector, String baseUrl) {
    Map<String, String> markers =
        Map.of("HUMAN_PROMPT", Prompts.HUMAN_PROMPT, "AI_PROMPT", Prompts.AI_PROMPT);
    byte[] marker = markers.get(vector.get("name").asText()).getBytes(StandardCharsets.UTF_8);
    return new Outcome(vector.get("hex"), MAPPER.getNodeFactory().textNode(HexFormat.of().formatHex(marker)));
  }

  /** The server answers a wrong request with an error. */
  private static Outcome checkRequest(JsonNode vector, String baseUrl) throws Exception {
    JsonNode credentials = vector.get("credentials");
    Completions completions =
        new Completions(
            baseUrl, credentials.path("api_key").asText(null), credentials.path("auth_token").asText(null));
    ObjectNode body = vector.get("arguments").deepCopy();
    JsonNode betas = body.remove("betas");
    JsonNode workspace = body.remove("workspace_id");
    Completions.Options options =
        new Completions.Options(
            betas == null ? null : MAPPER.convertValue(betas, new TypeReference<List<String>>() {}),
            workspace == null ? null : workspace.asText());
    CompletionRequest request = MAPPER.treeToValue(body, CompletionRequest.class);
    if (Boolean.TRUE.equals(request.getStream())) {
      completions.stream(request, options, chunk -> {});
    } else {
      completions.create(request, options);
    }
    return new Outcome(MAPPER.nullNode(), MAPPER.nullNode());
  }

  private static Outcome checkReply(JsonNode vector, String baseUrl) {
    Completions completions = new Completions(baseUrl, "key", null);
    JsonNode actual;
    try {
      Completion completion = completions.create(request(), Completions.Options.NONE);
      actual = MAPPER.valueToTree(completion.completion(wellFormed(completion.getCompletion())));
    } catch (CompletionException error) {
      actual = fields(error);
    }
    JsonNode expected = vector.has("error") ? expectedError(vector) : vector.get("completion");
    return new Outcome(withoutNulls(expected), withoutNulls(actual));
  }

  /** In a reply, null is the same as a field that did not come. */
  private static JsonNode withoutNulls(JsonNode fields) {
    ObjectNode copy = fields.deepCopy();
    copy.properties().removeIf(field -> field.getValue().isNull());
    return copy;
  }

  private static Outcome checkStream(JsonNode vector, String baseUrl) {
    ArrayNode texts = MAPPER.createArrayNode();
    List<JsonNode> ends = new ArrayList<>();
    try {
      new Completions(baseUrl, "key", null)
          .stream(
              request(),
              Completions.Options.NONE,
              chunk -> {
                texts.add(wellFormed(chunk.getCompletion()));
                if (chunk.getStopReason() != null) {
                  ObjectNode end = MAPPER.createObjectNode().put("stop_reason", chunk.getStopReason());
                  ends.add(end.put("stop", chunk.getStop()));
                }
              });
    } catch (CompletionException error) {
      ends.add(fields(error));
    }
    JsonNode end = ends.isEmpty() ? MAPPER.nullNode() : ends.get(ends.size() - 1);
    JsonNode expectedEnd = vector.has("error") ? expectedError(vector) : vector.get("end");
    return new Outcome(
        MAPPER.createArrayNode().add(vector.get("texts")).add(expectedEnd),
        MAPPER.createArrayNode().add(texts).add(end));
  }

  /** Returns the text with U+FFFD in place of each half of a surrogate pair. */
  private static String wellFormed(String text) {
    return text.codePoints()
        .map(point -> point >= 0xD800 && point <= 0xDFFF ? 0xFFFD : point)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static CompletionRequest request() {
    return new CompletionRequest()
        .model("claude-2.1")
        .maxTokensToSample(256)
        .prompt(Prompts.HUMAN_PROMPT + " Hello, world!" + Prompts.AI_PROMPT);
  }

  private static JsonNode expectedError(JsonNode vector) {
    ObjectNode error = vector.get("error").deepCopy();
    error.remove("python");
    JsonNode retryAfter = error.path("retry_after");
    return error
        .put("retry_after", retryAfter.isMissingNode() ? null : retryAfter.asDouble())
        .set("status", vector.get("reply").get("status"));
  }

  private static JsonNode fields(CompletionException error) {
    return MAPPER
        .createObjectNode()
        .put("kind", error.kind())
        .put("message", error.detail())
        .put("request_id", error.requestId())
        .put("retry_after", error.retryAfter())
        .put("status", error.status());
  }
}
