import completions.apis.CompletionsApi
import completions.infrastructure.ApiClient
import completions.models.CompletionRequest

fun main() {
    ApiClient.apiKey["x-api-key"] = "key"
    val api = CompletionsApi(System.getenv("URL"))
    val request = CompletionRequest(model = "claude-2.1", maxTokensToSample = 256, prompt = System.getenv("PROMPT"))
    val reply = api.createCompletion("2023-06-01", request, betas())
    fun quoted(text: String) = "\"" + text + "\""
    println("""{"completion": ${quoted(reply.completion)}, "model": ${quoted(reply.model)}, "mood": null}""")
}
