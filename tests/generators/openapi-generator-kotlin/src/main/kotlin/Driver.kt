import com.fasterxml.jackson.databind.ObjectMapper
import completions.apis.CompletionsApi
import completions.infrastructure.ApiClient
import completions.models.CompletionRequest

fun main() {
    ApiClient.apiKey["x-api-key"] = "key"
    val api = CompletionsApi(System.getenv("URL"))
    val request = CompletionRequest(model = "claude-2.1", maxTokensToSample = 256, prompt = System.getenv("PROMPT"))
    val reply = api.createCompletion("2023-06-01", request, betas())
    val more: Any = reply
    val fields = mapOf("completion" to reply.completion, "model" to reply.model, "mood" to (more as? Map<*, *>)?.get("mood"))
    println(ObjectMapper().writeValueAsString(fields))
}
