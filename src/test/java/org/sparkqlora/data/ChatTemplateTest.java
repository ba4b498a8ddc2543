package org.sparkqlora.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Template;

/** The reference is transformers; {@code src/test/python/make_template_goldens.py} made the files. */
class ChatTemplateTest {
    private static final Map<String, String> TOKENS =
            Map.of("bos_token", "<s>", "eos_token", "</s>", "pad_token", "<pad>", "unk_token", "<unk>");

    static Stream<Arguments> goldens() {
        return Stream.of("chatml", "chatml-generation", "llama3", "mistral", "features")
                .flatMap(name -> {
                    List<Arguments> cases = new ArrayList<>();
                    GoldenJson.read("templates/" + name + ".json")
                            .fields()
                            .forEachRemaining(
                                    golden -> cases.add(Arguments.of(name, golden.getKey(), golden.getValue())));
                    return cases.stream();
                });
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("goldens")
    void rendersAsTransformersDoes(String template, String name, JsonNode golden) {
        ChatTemplate chat = open(template);
        Conversation conversation = (Conversation) ExampleJson.read(golden.toString(), RecordFormat.MESSAGES);

        assertThat(chat.renderConversation(conversation.messages(), conversation.tools()))
                .isEqualTo(golden.get("text").textValue());
        assertThat(chat.renderPrompt(conversation.messages(), conversation.tools()))
                .isEqualTo(golden.get("prompt").textValue());
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("goldens")
    void marksGenerationAsTransformersDoes(String template, String name, JsonNode golden) {
        Conversation conversation = (Conversation) ExampleJson.read(golden.toString(), RecordFormat.MESSAGES);
        Rendering rendering = open(template).renderMarked(conversation.messages(), conversation.tools());

        List<List<Integer>> spans = rendering.generated().stream()
                .map(span -> List.of(
                        rendering.text().codePointCount(0, span.from()),
                        rendering.text().codePointCount(0, span.to())))
                .toList();
        List<List<Integer>> expected = new ArrayList<>();
        golden.path("generated")
                .forEach(span ->
                        expected.add(List.of(span.get(0).intValue(), span.get(1).intValue())));
        assertThat(spans).isEqualTo(expected);
    }

    @Test
    void knowsWhetherATemplateMarksGeneration() {
        assertThat(open("chatml-generation").marksGeneration()).isTrue();
        assertThat(open("chatml").marksGeneration()).isFalse();
    }

    @Test
    void datesAreThoseOfTheGivenDay() {
        ChatTemplate chat = ChatTemplate.of(Template.parse("{{ strftime_now('%d %b %Y, %A %H:%M %%') }}"), TOKENS)
                .on(LocalDate.of(2024, 7, 6));

        assertThat(chat.renderConversation(List.of(ChatMessage.of("user", "hi")), List.of()))
                .isEqualTo("06 Jul 2024, Saturday 00:00 %");
    }

    @Test
    void variablesOfARecordReachTheTemplateAsTrlPassesThem() {
        ChatTemplate chat = ChatTemplate.of(
                Template.parse("{{ bos_token }}{{ enable_thinking }}{{ documents }}{{ messages|length }}"), TOKENS);
        String record = """
                {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                 "chat_template_kwargs": %s}
                """;

        assertThat(render(
                        chat,
                        record.formatted("{\"enable_thinking\": false, \"documents\": [1], \"bos_token\": \"B\"}")))
                .isEqualTo("BFalse[1]2");
        assertThat(render(chat, record.formatted("\"{\\\"enable_thinking\\\": null}\"")))
                .isEqualTo("<s>NoneNone2");
        assertThat(render(chat, record.formatted("null"))).isEqualTo("<s>None2");
    }

    @Test
    void aRecordCannotSetWhatTrainingSettles() {
        String record = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"chat_template_kwargs\": %s}";

        assertThatThrownBy(() -> ExampleJson.read(
                        record.formatted("{\"chat_template\": \"x\", \"add_generation_prompt\": true}"),
                        RecordFormat.MESSAGES))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read field chat_template_kwargs: expected variables of the chat template, found"
                        + " add_generation_prompt, chat_template, which a record cannot set");
        assertThatThrownBy(() -> ExampleJson.read(record.formatted("[1]"), RecordFormat.MESSAGES))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read field chat_template_kwargs: expected an object, found a list of 1");
    }

    private static String render(ChatTemplate chat, String record) {
        Conversation conversation = (Conversation) ExampleJson.read(record, RecordFormat.MESSAGES);
        return chat.with(conversation.variables()).renderConversation(conversation.messages(), conversation.tools());
    }

    @Test
    void aTemplateMayRefuseAConversation() {
        ChatTemplate mistral = open("mistral");
        List<ChatMessage> twoQuestions = List.of(ChatMessage.of("user", "a"), ChatMessage.of("user", "b"));

        assertThatThrownBy(() -> mistral.renderConversation(twoQuestions, List.of()))
                .isInstanceOf(BadRecordException.class)
                .hasMessage(
                        "Cannot write the conversation with the chat template: Cannot render the template, line 17: the"
                                + " template refuses the conversation: After the optional system message, user and assistant must take"
                                + " turns");
    }

    private static ChatTemplate open(String name) {
        return ChatTemplate.of(Template.parse(GoldenJson.text("templates/" + name + ".jinja")), TOKENS);
    }
}
