/** Runs the vectors against the vector server; see ../server.py. */
package completions

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import com.fasterxml.jackson.module.kotlin.convertValue
import com.fasterxml.jackson.module.kotlin.jacksonObjectMapper
import com.fasterxml.jackson.module.kotlin.treeToValue
import completions.generated.models.Completion
import completions.generated.models.CompletionRequest
import okhttp3.Headers
import okhttp3.Headers.Companion.toHeaders
import java.nio.file.Path
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import kotlin.io.path.readText
import kotlin.system.exitProcess

private val MAPPER = jacksonObjectMapper()
private val REQUEST =
    CompletionRequest(
        model = "claude-2.1",
        maxTokensToSample = 256,
        prompt = "$HUMAN_PROMPT Hello, world!$AI_PROMPT",
    )
private val NOW: Instant =
    ZonedDateTime.parse(read("retries", "now").asText(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()
private var passed = 0
private var failures = 0

/** Two values that should be equal. */
private data class Outcome(val expected: Any?, val actual: Any?)

private fun read(file: String, entry: String): JsonNode =
    MAPPER.readTree(Path.of(System.getenv("VECTORS"), "$file.json").readText()).get(entry)

private fun run(file: String, group: String, check: (JsonNode, String) -> Outcome) {
    read(file, group).forEachIndexed { index, vector ->
        val outcome =
            try {
                check(vector, "${System.getenv("VECTORS_URL")}/$group/$index")
            } catch (error: Exception) {
                Outcome("no exception", error)
            }
        if (outcome.expected == outcome.actual) {
            passed++
        } else {
            failures++
            System.err.println("kotlin: $group: ${vector["name"]}\n  $outcome")
        }
    }
}

private fun JsonNode.text(name: String): String? = path(name).textValue()

private fun JsonNode.headers(): Headers = MAPPER.convertValue<Map<String, String>>(get("headers")).toHeaders()

/** Returns a number as Kotlin's, or null. */
private fun JsonNode.number(name: String): Double? = path(name).takeIf { it.isNumber }?.asDouble()

/** Returns the text with U+FFFD in place of each half of a surrogate pair. */
private fun wellFormed(text: String): String =
    text.codePoints().toArray().joinToString("") { point ->
        Character.toString(if (point in 0xD800..0xDFFF) 0xFFFD else point)
    }

private fun checkMarker(vector: JsonNode): Outcome {
    val marker = mapOf("HUMAN_PROMPT" to HUMAN_PROMPT, "AI_PROMPT" to AI_PROMPT)[vector.text("name")]
    return Outcome(vector.text("hex"), marker?.toByteArray()?.joinToString("") { "%02x".format(it) })
}

/** The server answers a wrong request with an error. */
private fun checkRequest(vector: JsonNode, baseUrl: String): Outcome {
    val credentials = vector["credentials"]
    val completions = Completions(baseUrl, credentials.text("api_key"), credentials.text("auth_token"))
    val body: ObjectNode = vector["arguments"].deepCopy()
    val betas: List<String>? = body.remove("betas")?.let { MAPPER.convertValue(it) }
    val options = Completions.Options(betas, body.remove("workspace_id")?.asText())
    val request: CompletionRequest = MAPPER.treeToValue(body)
    if (request.stream == true) completions.stream(request, options) {} else completions.create(request, options)
    return Outcome(null, null)
}

private fun checkReply(vector: JsonNode, baseUrl: String): Outcome {
    val expected = if (vector.has("error")) expectedError(vector) else known(vector["completion"])
    val actual =
        try {
            fields(Completions(baseUrl, "key").create(REQUEST))
        } catch (error: CompletionException) {
            fields(error)
        }
    return Outcome(expected, actual)
}

/** Returns all of a completion, without nulls, as null is the same as a field that did not come. */
private fun fields(completion: Completion): Map<String, Any> {
    val named =
        with(completion) {
            mapOf(
                "id" to id,
                "completion" to wellFormed(this.completion),
                "model" to model,
                "type" to type.value,
                "stop_reason" to stopReason,
                "stop" to stop,
                "log_id" to logId,
            )
        }
    return known(MAPPER.valueToTree(completion.toMap<String, Any?>() + named))
}

private fun known(fields: JsonNode): Map<String, Any> =
    MAPPER.convertValue<Map<String, Any?>>(fields).mapNotNull { (name, value) -> value?.let { name to it } }.toMap()

private fun checkStream(vector: JsonNode, baseUrl: String): Outcome {
    val texts = mutableListOf<String>()
    var end: Map<String, Any?> = emptyMap()
    try {
        Completions(baseUrl, "key").stream(REQUEST) { chunk ->
            texts += wellFormed(chunk.completion)
            chunk.stopReason?.let { end = mapOf("stop_reason" to it, "stop" to chunk.stop) }
        }
    } catch (error: CompletionException) {
        end = fields(error)
    }
    val expectedEnd = if (vector.has("error")) expectedError(vector) else MAPPER.convertValue(vector["end"])
    return Outcome(MAPPER.convertValue<List<String>>(vector["texts"]) to expectedEnd, texts to end)
}

private fun expectedError(vector: JsonNode): Map<String, Any?> {
    val error = vector["error"]
    return mapOf(
        "kind" to error.text("kind"),
        "message" to error.text("message"),
        "request_id" to error.text("request_id"),
        "retry_after" to error.number("retry_after"),
        "status" to vector["reply"]["status"].asInt(),
    )
}

private fun fields(error: CompletionException): Map<String, Any?> =
    mapOf(
        "kind" to error.kind,
        "message" to error.detail,
        "request_id" to error.requestId,
        "retry_after" to error.retryAfter,
        "status" to error.status,
    )

private fun checkRetry(vector: JsonNode): Outcome {
    val taken = vector["retries_taken"].asInt()
    val random = vector["random"].asDouble()
    val wait = retryWait(vector["status"].asInt(), vector.headers(), taken, random, NOW)
    return Outcome(vector.number("wait"), wait)
}

private fun checkRateLimits(vector: JsonNode): Outcome {
    val limits =
        listOf("requests", "tokens", "input_tokens", "output_tokens").associateWith { kind ->
            rateLimit(vector.headers(), kind.replace('_', '-'))?.let {
                mapOf("limit" to it.limit, "remaining" to it.remaining, "reset" to it.reset?.toString())
            }
        }
    // Through text, as numbers of different width are not equal.
    return Outcome(vector["rate_limits"].toString(), MAPPER.writeValueAsString(limits))
}

private fun checkValidate(vector: JsonNode): Outcome {
    val expected = Verdict(vector["ok"].asBoolean(), vector.text("reason"), vector.text("message"), vector.text("sanitised")!!)
    return Outcome(expected, validate(vector.text("prompt")!!))
}

private fun checkParse(vector: JsonNode): Outcome =
    Outcome(
        Parts(vector.text("system")!!, MAPPER.convertValue(vector["turns"])),
        parse(vector.text("prompt")!!),
    )

private fun checkBuild(vector: JsonNode): Outcome {
    val turns = vector["turns"].map { it.text("role")!! to it.text("content")!! }
    val prompt =
        try {
            build(turns, vector.path("open_turn").asBoolean(true), vector.path("allow_markers").asBoolean(false))
        } catch (_: IllegalArgumentException) {
            null // A vector without a prompt is refused.
        }
    return Outcome(vector.text("prompt"), prompt)
}

fun main() {
    run("constants", "markers") { vector, _ -> checkMarker(vector) }
    run("requests", "requests", ::checkRequest)
    run("replies", "replies", ::checkReply)
    run("streams", "streams", ::checkStream)
    run("retries", "retry_after") { vector, _ -> Outcome(vector.number("seconds"), retryAfter(vector.headers(), NOW)) }
    run("retries", "retries") { vector, _ -> checkRetry(vector) }
    run("rate_limits", "rate_limits") { vector, _ -> checkRateLimits(vector) }
    run("prompts", "validate") { vector, _ -> checkValidate(vector) }
    run("prompts", "parse") { vector, _ -> checkParse(vector) }
    run("prompts", "build") { vector, _ -> checkBuild(vector) }
    if (failures > 0) {
        System.err.println("kotlin: $failures vectors failed")
        exitProcess(1)
    }
    println("kotlin: $passed vectors passed")
    exitProcess(0) // OkHttp's threads live on for a minute.
}
