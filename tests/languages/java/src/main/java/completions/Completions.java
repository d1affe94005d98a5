package completions;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.ErrorStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.StreamClosedByServerException;
import com.launchdarkly.eventsource.StreamException;
import com.launchdarkly.logging.LDLogger;
import completions.api.CompletionsApi;
import completions.client.ApiClient;
import completions.client.ApiException;
import completions.model.Completion;
import completions.model.CompletionChunk;
import completions.model.CompletionRequest;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Text completions, plain and streamed, through the generated client. */
public final class Completions {
  private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

  static {
    // Otherwise a number is read where the contract says text.
    for (CoercionInputShape shape :
        List.of(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
      MAPPER.coercionConfigFor(LogicalType.Textual).setCoercion(shape, CoercionAction.Fail);
    }
  }

  private final HttpClient http = HttpClient.newHttpClient();
  private final String baseUrl;
  private final String apiKey;
  private final String authToken;

  /**
   * @param baseUrl {@code https://api.anthropic.com}, or where else the service is
   * @param apiKey a key, or null
   * @param authToken a token in place of the key, or null
   */
  public Completions(String baseUrl, String apiKey, String authToken) {
    this.baseUrl = baseUrl;
    this.apiKey = apiKey;
    this.authToken = authToken;
  }

  /** What goes into headers; either may be null. */
  public record Options(List<String> betas, String workspaceId) {
    public static final Options NONE = new Options(null, null);
  }

  /** Returns the whole completion. */
  public Completion create(CompletionRequest request, Options options) throws CompletionException {
    WholeExchange exchange = new WholeExchange();
    exchange.run(request, options);
    if (exchange.failure != null) {
      throw exchange.failure;
    }
    return exchange.completion;
  }

  /** Hands over the chunks; throws where the stream brings an error or ends before the text does. */
  public void stream(CompletionRequest request, Options options, Consumer<CompletionChunk> onChunk)
      throws CompletionException {
    StreamExchange exchange = new StreamExchange(onChunk);
    try {
      exchange.run(request.stream(true), options);
    } catch (CompletionException error) {
      throw exchange.failure != null ? exchange.failure : error;
    }
    exchange.finish();
  }

  /** The generated types do not look whether a field came. */
  private static boolean isComplete(Completion completion) {
    return completion != null
        && completion.getId() != null
        && completion.getCompletion() != null
        && completion.getModel() != null
        && completion.getType() != null
        && completion.getStopReason_JsonNullable().isPresent();
  }

  /** Whether it is an error, whatever the status says. */
  private static boolean holdsError(JsonNode body) {
    return body.path("error").isObject();
  }

  /** One call of the generated client, which alone knows nothing of a reply that it could not read. */
  private class Exchange {
    private int status;
    private HttpHeaders headers = HttpHeaders.of(Map.of(), (name, value) -> true);

    void run(CompletionRequest request, Options options) throws CompletionException {
      ApiClient client =
          new ApiClient() {
            @Override
            public HttpClient getHttpClient() {
              return http;
            }
          };
      client.updateBaseUri(baseUrl);
      client.setObjectMapper(MAPPER);
      client.setRequestInterceptor(
          builder -> {
            if (apiKey != null) {
              builder.header("x-api-key", apiKey);
            }
            if (authToken != null) {
              builder.header("Authorization", "Bearer " + authToken);
            }
          });
      client.setResponseInterceptor(this::receive);
      String betas = options.betas() == null ? null : String.join(",", options.betas());
      try {
        new CompletionsApi(client).createCompletion("2023-06-01", request, betas, options.workspaceId());
      } catch (ApiException error) {
        if (error.getCode() != 0) {
          throw failure(read(error.getResponseBody()), error);
        }
        throw failure("incomplete", error.getCause());
      }
    }

    /** Is called when the reply has come and its body has not been read. */
    void receive(HttpResponse<InputStream> response) {
      status = response.statusCode();
      headers = response.headers();
    }

    CompletionException failure(String kind, Throwable cause) {
      return new CompletionException(kind, null, null, status, headers, cause);
    }

    /** Returns the error for a body that is, or should be, the API's error object. */
    CompletionException failure(JsonNode body, Throwable cause) {
      JsonNode error = body.path("error");
      String kind = error.path("type").isTextual() ? error.path("type").asText() : "unknown";
      String message = error.path("message").textValue();
      String requestId = body.path("request_id").textValue();
      return new CompletionException(kind, message, requestId, status, headers, cause);
    }

    JsonNode read(String json) {
      try {
        return MAPPER.readTree(json == null ? "" : json);
      } catch (JsonProcessingException error) {
        return MAPPER.missingNode();
      }
    }

    /** Reads a reply with status 200, which may be an error all the same. */
    Completion readWhole(InputStream body) throws CompletionException {
      try {
        // Not readTree(body), which closes it: the generated client looks for more, and finds nothing.
        JsonNode value = MAPPER.readTree(body.readAllBytes());
        if (holdsError(value)) {
          throw failure(value, null);
        }
        Completion completion = MAPPER.treeToValue(value, Completion.class);
        if (!isComplete(completion)) {
          throw failure("invalid", null);
        }
        return completion;
      } catch (JsonProcessingException error) {
        throw failure("invalid", error);
      } catch (IOException error) {
        throw failure("incomplete", error);
      }
    }
  }

  /** A call that reads the completion before the generated client does, which would take an error for one. */
  private final class WholeExchange extends Exchange {
    private Completion completion;
    private CompletionException failure;

    @Override
    void receive(HttpResponse<InputStream> response) {
      super.receive(response);
      if (response.statusCode() != 200) {
        return; // The generated client makes an exception of it.
      }
      try {
        completion = readWhole(response.body());
      } catch (CompletionException error) {
        failure = error;
      }
    }
  }

  /** A call that reads the events when they come, before the generated client looks for a completion. */
  private final class StreamExchange extends Exchange {
    private final Consumer<CompletionChunk> onChunk;
    private boolean isComplete;
    private CompletionException failure;

    StreamExchange(Consumer<CompletionChunk> onChunk) {
      this.onChunk = onChunk;
    }

    @Override
    void receive(HttpResponse<InputStream> response) {
      super.receive(response);
      if (response.statusCode() != 200) {
        return; // The generated client makes an exception of it.
      }
      String contentType = response.headers().firstValue("content-type").orElse("");
      if (!contentType.replaceFirst(" *(;.*)?$", "").equalsIgnoreCase("text/event-stream")) {
        failure = takeWhole(response.body());
        return;
      }
      EventSource events =
          new EventSource.Builder(new OneReply(response)).errorStrategy(ErrorStrategy.alwaysThrow()).build();
      boolean isRead = false;
      try {
        while (failure == null) {
          MessageEvent event = events.readMessage();
          failure = take(event.getEventName(), event.getData());
        }
      } catch (StreamClosedByServerException end) {
        isRead = true; // Whether the text is complete, finish() says.
      } catch (StreamException error) {
        failure = failure("incomplete", error);
      } finally {
        if (!isRead) {
          close(response.body());
        }
      }
    }

    /** Hands over the chunk of an event; returns what is wrong with it, or null. */
    private CompletionException take(String name, String data) {
      boolean isNameless = name.equals("message");
      if (!isNameless && !name.equals("completion") && !name.equals("error")) {
        return null;
      }
      if (isNameless && data.strip().equals("[DONE]")) {
        return null; // As gateways add it.
      }
      JsonNode value = read(data);
      if (!value.isObject()) {
        return failure("invalid", null);
      }
      if (holdsError(value) || name.equals("error")) {
        return failure(value, null);
      }
      if (isNameless && !value.has("completion")) {
        return null;
      }
      try {
        CompletionChunk chunk = MAPPER.treeToValue(value, CompletionChunk.class);
        if (chunk.getCompletion() == null) {
          return failure("invalid", null);
        }
        isComplete |= chunk.getStopReason() != null;
        onChunk.accept(chunk);
        return null;
      } catch (JsonProcessingException error) {
        return failure("invalid", error);
      }
    }

    /** Hands over a completion that came in place of the stream; returns what is wrong, or null. */
    private CompletionException takeWhole(InputStream body) {
      try {
        return take("completion", MAPPER.writeValueAsString(readWhole(body)));
      } catch (JsonProcessingException error) {
        return failure("invalid", error);
      } catch (CompletionException error) {
        return error;
      }
    }

    /** Ends the connection, as the rest is of no use. */
    private void close(InputStream body) {
      try {
        body.close();
      } catch (IOException error) {
        // It is gone already.
      }
    }

    /** Throws where the stream was not complete. */
    void finish() throws CompletionException {
      if (failure != null) {
        throw failure;
      }
      if (!isComplete) {
        throw failure("incomplete", null);
      }
    }
  }

  /** Has the event source read a reply that is there already, and connect to nothing. */
  private static final class OneReply extends ConnectStrategy {
    private final HttpResponse<InputStream> reply;

    OneReply(HttpResponse<InputStream> reply) {
      this.reply = reply;
    }

    @Override
    public Client createClient(LDLogger logger) {
      return new Client() {
        @Override
        public Result connect(String lastEventId) {
          return new Result(reply.body(), reply.uri(), () -> {});
        }

        @Override
        public boolean awaitClosed(long timeoutMillis) {
          return true;
        }

        @Override
        public URI getOrigin() {
          return reply.uri();
        }

        @Override
        public void close() {}
      };
    }
  }
}
