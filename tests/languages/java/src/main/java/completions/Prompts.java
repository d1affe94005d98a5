package completions;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Prompts: taken apart, built, and judged as the service judges them. */
public final class Prompts {
  /** What begins a human's turn in a prompt. */
  public static final String HUMAN_PROMPT = "\n\nHuman:";

  /** What begins the assistant's turn in a prompt. */
  public static final String AI_PROMPT = "\n\nAssistant:";

  private static final Pattern MARKER = Pattern.compile("\n\nHuman:|\n\nAssistant:");
  private static final Map<String, String> MARKERS =
      Map.of("human", HUMAN_PROMPT, "user", HUMAN_PROMPT, "assistant", AI_PROMPT, "system", "");
  private static final String FIRST =
      "prompt must start with \"\\n\\nHuman:\" turn after an optional system prompt";
  private static final String LAST = "prompt must end with \"\\n\\nAssistant:\" turn";

  private Prompts() {}

  /** A turn; {@code text} as it stands after the marker, {@code content} without the marker's space. */
  public record Turn(String role, String text, String content) {}

  /** The parts of a prompt. */
  public record Parts(String system, List<Turn> turns) {}

  /** What the service makes of a prompt: why it would refuse it, and what it makes of it before it looks. */
  public record Verdict(boolean ok, String reason, String message, String sanitised) {}

  /** Takes a prompt apart, without judging or changing it. */
  public static Parts parse(String prompt) {
    List<MatchResult> markers = MARKER.matcher(prompt).results().toList();
    List<Turn> turns = new ArrayList<>();
    for (int index = 0; index < markers.size(); index++) {
      int end = index + 1 < markers.size() ? markers.get(index + 1).start() : prompt.length();
      String text = prompt.substring(markers.get(index).end(), end);
      String role = markers.get(index).group().equals(HUMAN_PROMPT) ? "human" : "assistant";
      turns.add(new Turn(role, text, text.startsWith(" ") ? text.substring(1) : text));
    }
    return new Parts(markers.isEmpty() ? prompt : prompt.substring(0, markers.get(0).start()), turns);
  }

  /**
   * Builds a prompt of turns, the first of which may be system text; only role and content are looked at.
   *
   * @throws IllegalArgumentException an unknown role, system text after a turn, text that would begin a turn
   */
  public static String build(List<Turn> turns, boolean openTurn, boolean allowMarkers) {
    StringBuilder prompt = new StringBuilder();
    String marker = "";
    for (int index = 0; index < turns.size(); index++) {
      String content = turns.get(index).content();
      marker = MARKERS.get(turns.get(index).role());
      if (marker == null || (marker.isEmpty() && index > 0)) {
        throw new IllegalArgumentException("turn " + index + ": role " + turns.get(index).role());
      }
      boolean beginsTurn = marker.isEmpty() && content.startsWith("Human:");
      if (!allowMarkers && (beginsTurn || MARKER.matcher(content).find())) {
        throw new IllegalArgumentException("turn " + index + ": the text would begin a turn");
      }
      prompt.append(marker).append(marker.isEmpty() || content.isEmpty() ? "" : " ").append(content);
    }
    return prompt.append(openTurn && marker.equals(HUMAN_PROMPT) ? AI_PROMPT : "").toString();
  }

  /** Tells whether the service takes a prompt. The limit in tokens is not looked at. */
  public static Verdict validate(String prompt) {
    String whole = prompt.startsWith("Human:") ? "\n\n" + prompt : prompt;
    String trimmed = whole.replaceFirst(" +\\z", "");
    String sanitised = trimmed.endsWith(AI_PROMPT) ? trimmed : whole;
    List<String> markers = MARKER.matcher(sanitised).results().map(MatchResult::group).toList();
    if (sanitised.isEmpty()) {
      return new Verdict(false, "empty", "prompt must not be empty", sanitised);
    } else if (!markers.contains(HUMAN_PROMPT)) {
      return new Verdict(false, "no_human_turn", FIRST, sanitised);
    } else if (!markers.get(0).equals(HUMAN_PROMPT)) {
      return new Verdict(false, "human_not_first", FIRST, sanitised);
    } else if (!markers.contains(AI_PROMPT)) {
      return new Verdict(false, "no_assistant_turn", LAST, sanitised);
    } else if (!markers.get(markers.size() - 1).equals(AI_PROMPT)) {
      return new Verdict(false, "assistant_not_last", LAST, sanitised);
    }
    return new Verdict(true, null, null, sanitised);
  }
}
