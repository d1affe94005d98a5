package completions

import okhttp3.Headers
import java.io.IOException
import java.time.Instant

/**
 * What went wrong with a call.
 *
 * @property kind the API's error type; or `unknown`, `invalid` (no completion), `incomplete` (cut off)
 * @property detail the API's own words, where there are any
 * @property status the HTTP status; 0 where there was no reply
 */
class CompletionException(
    val kind: String,
    val detail: String?,
    private val bodyRequestId: String?,
    val status: Int,
    private val headers: Headers,
    cause: Throwable?,
) : IOException(if (detail == null) kind else "$kind: $detail", cause) {
    /** What names the exchange at Anthropic. */
    val requestId: String? get() = headers["request-id"] ?: bodyRequestId

    /** Seconds after which to try again. */
    val retryAfter: Double? = retryAfter(headers, Instant.now())
}
