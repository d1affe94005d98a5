package completions

import com.fasterxml.jackson.annotation.JsonInclude
import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.databind.DeserializationFeature
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.cfg.CoercionAction
import com.fasterxml.jackson.databind.cfg.CoercionInputShape
import com.fasterxml.jackson.databind.type.LogicalType
import com.launchdarkly.eventsource.ConnectStrategy
import com.launchdarkly.eventsource.ErrorStrategy
import com.launchdarkly.eventsource.EventSource
import com.launchdarkly.eventsource.StreamClosedByServerException
import com.launchdarkly.eventsource.StreamException
import com.launchdarkly.logging.LDLogger
import completions.generated.apis.CompletionsApi
import completions.generated.infrastructure.Serializer
import completions.generated.models.Completion
import completions.generated.models.CompletionChunk
import completions.generated.models.CompletionRequest
import okhttp3.Headers
import okhttp3.Headers.Companion.headersOf
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import okhttp3.Response
import okhttp3.ResponseBody.Companion.toResponseBody
import java.io.IOException
import java.io.InputStream
import java.net.URI
import java.time.Duration

/** Facts about a request; null is sent as null. */
typealias Metadata = Map<String, String?>

private val MAPPER = Serializer.jacksonObjectMapper
private val REQUIRED = listOf("id", "completion", "model", "type", "stop_reason")

/**
 * Text completions, plain and streamed, through the generated client.
 *
 * @param baseUrl `https://api.anthropic.com`, or where else the service is
 * @param authToken a token in place of the key
 */
class Completions(private val baseUrl: String, private val apiKey: String?, private val authToken: String? = null) {
    // By itself, OkHttp would try again and follow redirects.
    private val http =
        OkHttpClient
            .Builder()
            .followRedirects(false)
            .retryOnConnectionFailure(false)
            .readTimeout(Duration.ofMinutes(10))
            .addNetworkInterceptor(::withContentType)
            .build()

    private companion object {
        init {
            // Otherwise a number is read where the contract says text.
            for (shape in listOf(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
                MAPPER.coercionConfigFor(LogicalType.Textual).setCoercion(shape, CoercionAction.Fail)
            }
            MAPPER.enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            // Otherwise what is null in a map is left out.
            val include = JsonInclude.Value.construct(JsonInclude.Include.NON_ABSENT, JsonInclude.Include.ALWAYS)
            MAPPER.configOverride(Map::class.java).setInclude(include)
        }
    }

    /** What goes into headers. */
    data class Options(val betas: List<String>? = null, val workspaceId: String? = null)

    /** Returns the whole completion. */
    @Throws(CompletionException::class)
    fun create(request: CompletionRequest, options: Options = Options()): Completion {
        var completion: Completion? = null
        run(request, options) { completion = it.readWhole() }
        return checkNotNull(completion)
    }

    /** Hands over the chunks; throws where the stream brings an error or ends before the text does. */
    @Throws(CompletionException::class)
    fun stream(request: CompletionRequest, options: Options = Options(), onChunk: (CompletionChunk) -> Unit) {
        run(request.copy(stream = true), options) { it.readStream(onChunk) }
    }

    /** Calls; what comes is read by `read`, as the generated client can return nothing but a completion. */
    private fun run(request: CompletionRequest, options: Options, read: (Reply) -> Unit) {
        val interceptor =
            Interceptor { chain ->
                val headers = chain.request().newBuilder()
                apiKey?.let { headers.header("x-api-key", it) }
                authToken?.let { headers.header("authorization", "Bearer $it") }
                val response = chain.proceed(headers.build())
                response.use {
                    val reply = Reply(it)
                    if (it.code == 200) read(reply) else throw reply.statusError()
                }
                // For the generated client there is nothing left to read.
                response.newBuilder().header("content-type", "application/json").body("".toResponseBody()).build()
            }
        val api = CompletionsApi(baseUrl, http.newBuilder().addInterceptor(interceptor).build())
        try {
            api.createCompletionWithHttpInfo("2023-06-01", request, options.betas?.joinToString(","), options.workspaceId)
        } catch (error: IOException) {
            throw error as? CompletionException ?: failure("incomplete", error)
        }
    }
}

/** Takes off the charset that OkHttp adds to text. */
private fun withContentType(chain: Interceptor.Chain): Response =
    chain.proceed(chain.request().newBuilder().header("content-type", "application/json").build())

private fun failure(kind: String, cause: Throwable? = null, status: Int = 0, headers: Headers = headersOf()) =
    CompletionException(kind, null, null, status, headers, cause)

/** Whether it is an error, whatever the status says. */
private fun holdsError(value: JsonNode) = value.path("error").isObject

/** A reply whose status is known, and whose body is not read. */
private class Reply(private val response: Response) {
    private val body: InputStream = checkNotNull(response.body).byteStream()
    private var isComplete = false

    /** Returns the error that the body of another status than 200 says. */
    fun statusError(): CompletionException = error(read(wholeBody()))

    /** Returns the value of a text, which is missing where it is no JSON. */
    private fun read(json: ByteArray): JsonNode =
        try {
            MAPPER.readTree(json)
        } catch (_: JsonProcessingException) {
            MAPPER.missingNode()
        }

    /** Returns the error for a body that is, or should be, the API's error object. */
    private fun error(value: JsonNode): CompletionException {
        val error = value.path("error")
        val kind = error.path("type").textValue() ?: "unknown"
        val requestId = value.path("request_id").textValue()
        val message = error.path("message").textValue()
        return CompletionException(kind, message, requestId, response.code, response.headers, null)
    }

    private fun failure(kind: String, cause: Throwable? = null) =
        failure(kind, cause, response.code, response.headers)

    private fun wholeBody(): ByteArray =
        try {
            body.readAllBytes()
        } catch (error: IOException) {
            throw failure("incomplete", error)
        }

    /** Reads a value as one of the generated types, which look what came. */
    private fun <T> typed(value: JsonNode, type: Class<T>): T =
        try {
            MAPPER.treeToValue(value, type)
        } catch (error: JsonProcessingException) {
            throw failure("invalid", error)
        }

    fun readWhole(): Completion = typed(wholeValue(), Completion::class.java)

    /** Returns what says that it is a completion, with all that one has. */
    private fun wholeValue(): JsonNode {
        val value = read(wholeBody())
        if (holdsError(value)) throw error(value)
        if (!REQUIRED.all(value::has)) throw failure("invalid")
        return value
    }

    fun readStream(onChunk: (CompletionChunk) -> Unit) {
        val contentType = response.header("content-type").orEmpty().substringBefore(';').trim()
        if (contentType.equals("text/event-stream", ignoreCase = true)) {
            readEvents { name, data -> take(name, data, onChunk) }
        } else {
            // An error or a completion, in place of the stream.
            val value = wholeValue()
            typed(value, Completion::class.java)
            takeChunk(value, onChunk)
        }
        if (!isComplete) throw failure("incomplete")
    }

    private fun readEvents(take: (String, String) -> Unit) {
        val strategy = OneReply(body, response.request.url.toUri())
        val events = EventSource.Builder(strategy).errorStrategy(ErrorStrategy.alwaysThrow()).build()
        try {
            while (true) {
                val event = events.readMessage()
                take(event.eventName, event.data)
            }
        } catch (_: StreamClosedByServerException) {
            // It was read to its end.
        } catch (error: StreamException) {
            throw failure("incomplete", error)
        }
    }

    /** Hands over the chunk of an event, or throws what it says. */
    private fun take(name: String, data: String, onChunk: (CompletionChunk) -> Unit) {
        val isNameless = name == "message"
        if (!isNameless && name != "completion" && name != "error") return
        if (isNameless && data.trim() == "[DONE]") return // As gateways add it.
        val value = read(data.toByteArray())
        if (!value.isObject) throw failure("invalid")
        if (holdsError(value) || name == "error") throw error(value)
        if (isNameless && !value.has("completion")) return
        takeChunk(value, onChunk)
    }

    private fun takeChunk(value: JsonNode, onChunk: (CompletionChunk) -> Unit) {
        val chunk = typed(value, CompletionChunk::class.java)
        isComplete = isComplete || chunk.stopReason != null
        onChunk(chunk)
    }
}

/** Has the event source read a reply that is there already, and connect to nothing. */
private class OneReply(private val body: InputStream, private val origin: URI) : ConnectStrategy() {
    override fun createClient(logger: LDLogger): Client =
        object : Client() {
            override fun connect(lastEventId: String?) = Result(body, origin) {}

            override fun awaitClosed(timeoutMillis: Long) = true

            override fun getOrigin(): URI = this@OneReply.origin

            override fun close() = Unit
        }
}
