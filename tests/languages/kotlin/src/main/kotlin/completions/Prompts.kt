/** Prompts: taken apart, built, and judged as the service judges them. */
package completions

/** What begins a human's turn in a prompt. */
const val HUMAN_PROMPT = "\n\nHuman:"

/** What begins the assistant's turn in a prompt. */
const val AI_PROMPT = "\n\nAssistant:"

private val MARKER = Regex("\n\nHuman:|\n\nAssistant:")
private val MARKERS =
    mapOf("human" to HUMAN_PROMPT, "user" to HUMAN_PROMPT, "assistant" to AI_PROMPT, "system" to "")
private const val FIRST = "prompt must start with \"\\n\\nHuman:\" turn after an optional system prompt"
private const val LAST = "prompt must end with \"\\n\\nAssistant:\" turn"

/** A turn; [text] as it stands after the marker, [content] without the marker's space. */
data class Turn(val role: String, val text: String, val content: String)

/** The parts of a prompt. */
data class Parts(val system: String, val turns: List<Turn>)

/** What the service makes of a prompt: why it would refuse it, and what it makes of it before it looks. */
data class Verdict(val ok: Boolean, val reason: String?, val message: String?, val sanitised: String)

/** Takes a prompt apart, without judging or changing it. */
fun parse(prompt: String): Parts {
    val markers = MARKER.findAll(prompt).toList()
    val turns =
        markers.mapIndexed { index, marker ->
            val end = markers.getOrNull(index + 1)?.range?.first ?: prompt.length
            val text = prompt.substring(marker.range.last + 1, end)
            val role = if (marker.value == HUMAN_PROMPT) "human" else "assistant"
            Turn(role, text, text.removePrefix(" "))
        }
    return Parts(prompt.substring(0, markers.firstOrNull()?.range?.first ?: prompt.length), turns)
}

/**
 * Builds a prompt of turns, pairs of role and content, the first of which may be system text.
 *
 * @throws IllegalArgumentException an unknown role, system text after a turn, text that would begin a turn
 */
fun build(turns: List<Pair<String, String>>, openTurn: Boolean = true, allowMarkers: Boolean = false): String =
    buildString {
        turns.forEachIndexed { index, (role, content) ->
            val marker = requireNotNull(MARKERS[role]) { "turn $index: role $role" }
            require(marker.isNotEmpty() || index == 0) { "turn $index: system text after a turn" }
            val beginsTurn = marker.isEmpty() && content.startsWith("Human:") || MARKER in content
            require(allowMarkers || !beginsTurn) { "turn $index: the text would begin a turn" }
            append(marker)
            if (marker.isNotEmpty() && content.isNotEmpty()) append(' ')
            append(content)
        }
        val last = turns.lastOrNull()?.first
        if (openTurn && MARKERS[last] == HUMAN_PROMPT) append(AI_PROMPT)
    }

/** Tells whether the service takes a prompt. The limit in tokens is not looked at. */
fun validate(prompt: String): Verdict {
    val whole = if (prompt.startsWith("Human:")) "\n\n$prompt" else prompt
    val trimmed = whole.trimEnd(' ')
    val sanitised = if (trimmed.endsWith(AI_PROMPT)) trimmed else whole
    val markers = MARKER.findAll(sanitised).map { it.value }.toList()
    val (reason, message) =
        when {
            sanitised.isEmpty() -> "empty" to "prompt must not be empty"
            HUMAN_PROMPT !in markers -> "no_human_turn" to FIRST
            markers.first() != HUMAN_PROMPT -> "human_not_first" to FIRST
            AI_PROMPT !in markers -> "no_assistant_turn" to LAST
            markers.last() != AI_PROMPT -> "assistant_not_last" to LAST
            else -> null to null
        }
    return Verdict(reason == null, reason, message, sanitised)
}
