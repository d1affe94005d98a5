/** What a reply's headers say: how long to wait, whether to try again, which limits there are. */
package completions

import okhttp3.Headers
import java.time.DateTimeException
import java.time.Duration
import java.time.Instant
import java.time.OffsetDateTime
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import kotlin.math.min
import kotlin.math.pow

private val LONGEST_SECONDS = Duration.ofDays(366).toSeconds().toDouble()
private val NUMBER = Regex("-?[0-9]+(\\.[0-9]+)?")
private val COUNT = Regex("[0-9]{1,18}")

/** Returns the seconds that the service asks to wait, or null where it asks nothing sensible. */
fun retryAfter(headers: Headers, now: Instant): Double? {
    number(headers["retry-after-ms"])?.let { return sensible(it / 1000) }
    val value = headers["retry-after"] ?: return null
    number(value)?.let { return sensible(it) }
    return try {
        val date = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()
        sensible(Duration.between(now, date).toMillis() / 1000.0)
    } catch (_: DateTimeException) {
        null
    }
}

/**
 * Returns the seconds before another attempt, or null where there shall be none.
 *
 * @param status 0 where the connection failed before a reply
 * @param random a random number from 0 to 1
 */
fun retryWait(status: Int, headers: Headers, retriesTaken: Int, random: Double, now: Instant): Double? {
    val byStatus = status == 0 || status in setOf(408, 409, 429) || status >= 500
    val isTriedAgain =
        when (headers["x-should-retry"]) {
            "true" -> true
            "false" -> false
            else -> byStatus
        }
    if (!isTriedAgain) return null
    return retryAfter(headers, now) ?: (min(0.5 * 2.0.pow(retriesTaken), 8.0) * (1 - 0.25 * random))
}

/** One limit; what the headers do not say is null. */
data class RateLimit(val limit: Long?, val remaining: Long?, val reset: Instant?)

/** Returns the limit of `requests`, `tokens` and so on; null where nothing is told of it. */
fun rateLimit(headers: Headers, kind: String): RateLimit? {
    val (limit, remaining, reset) =
        listOf("limit", "remaining", "reset").map { headers["anthropic-ratelimit-$kind-$it"].orEmpty() }
    if ((limit + remaining + reset).isEmpty()) return null
    val time =
        try {
            OffsetDateTime.parse(reset).toInstant()
        } catch (_: DateTimeException) {
            null
        }
    return RateLimit(count(limit), count(remaining), time)
}

private fun count(value: String): Long? = if (COUNT.matches(value)) value.toLong() else null

private fun number(value: String?): Double? = if (value != null && NUMBER.matches(value)) value.toDouble() else null

private fun sensible(seconds: Double): Double? = seconds.takeIf { it > 0 && it <= LONGEST_SECONDS }
