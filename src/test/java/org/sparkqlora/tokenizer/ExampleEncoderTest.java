package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.ExampleJson;
import org.sparkqlora.data.GoldenJson;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.TemplateVariables;

/** The reference is transformers; {@code src/test/python/make_tokenizer_goldens.py} made the files. */
class ExampleEncoderTest {
    private static final ModelTokenizer BYTES = ModelTokenizer.open(TestTokenizers.bytes());
    private static final ModelTokenizer PIECES = ModelTokenizer.open(TestTokenizers.pieces());

    private static final Conversation FOUR_TURNS = Conversation.of(
            ChatMessage.of("user", "a"),
            ChatMessage.of("assistant", "b"),
            ChatMessage.of("user", "c"),
            ChatMessage.of("assistant", "d"));

    @AfterAll
    static void close() {
        BYTES.close();
        PIECES.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void conversationsGetTheIdsAndTheMaskOfTheReference(String name) {
        ExampleEncoder encoder = new ExampleEncoder(name.equals("bytes") ? BYTES : PIECES, TrainOn.ASSISTANT);
        for (JsonNode golden : GoldenJson.read("tokenizers/" + name + "-conversations.json")) {
            EncodedExample encoded = encoder.encode(ExampleJson.read(golden.toString(), RecordFormat.MESSAGES));
            assertThat(encoded.ids()).isEqualTo(ints(golden.get("ids")));
            if (golden.has("trained")) {
                assertThat(ones(encoded.trained())).isEqualTo(ints(golden.get("trained")));
            }
        }
    }

    @Test
    void trainsEachAnswerAndItsEndOfTurnOnly() {
        EncodedExample encoded = new ExampleEncoder(BYTES, TrainOn.ASSISTANT)
                .encode(Conversation.of(
                        ChatMessage.of("system", "Be brief"),
                        ChatMessage.of("user", "What 🙂?"),
                        ChatMessage.of("assistant", "🙂 é!"),
                        ChatMessage.of("user", "<|im_end|>"),
                        ChatMessage.of("assistant", "done")));

        assertThat(trainedRuns(BYTES, encoded)).containsExactly("🙂 é!<|im_end|>", "done<|im_end|>");
    }

    @Test
    void leavesAnswersOfThePromptUntrained() {
        Conversation conversation = new Conversation(
                List.of(
                        ChatMessage.of("user", "a"),
                        ChatMessage.of("assistant", "b"),
                        ChatMessage.of("user", "c"),
                        ChatMessage.of("assistant", "d")),
                List.of(),
                3,
                TemplateVariables.NONE);

        assertThat(trainedRuns(BYTES, new ExampleEncoder(BYTES, TrainOn.ASSISTANT).encode(conversation)))
                .containsExactly("d<|im_end|>");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "own",
            value = {
                "ASSISTANT, own, b<|im_end|>|d<|im_end|>",
                "ASSISTANT, chatml-generation, b<|im_end|>|d<|im_end|>",
                "LAST_TURN, own, d<|im_end|>",
                "LAST_TURN, chatml-generation, d<|im_end|>"
            })
    void trainsOnWhatIsAsked(TrainOn trainOn, @Nullable String template, String trained, @TempDir Path folder)
            throws IOException {
        try (ModelTokenizer tokenizer = template == null
                ? ModelTokenizer.open(TestTokenizers.bytes())
                : ModelTokenizer.open(TestTokenizers.bytes(), templateFile(template, folder), List.of())) {
            EncodedExample encoded = new ExampleEncoder(tokenizer, trainOn).encode(FOUR_TURNS);

            assertThat(String.join("|", trainedRuns(tokenizer, encoded))).isEqualTo(trained);
        }
    }

    @Test
    void trainsOnEveryTokenButTheFirstWhenAskedTo() {
        ExampleEncoder encoder = new ExampleEncoder(BYTES, TrainOn.ALL);
        for (Example example : List.of(FOUR_TURNS, new PromptCompletion("Question: ", "answer"))) {
            EncodedExample encoded = encoder.encode(example);

            assertThat(encoded.ids())
                    .isEqualTo(new ExampleEncoder(BYTES, TrainOn.ASSISTANT)
                            .encode(example)
                            .ids());
            assertThat(encoded.trainedTokens()).isEqualTo(encoded.length() - 1);
        }
    }

    private static Path templateFile(String name, Path folder) throws IOException {
        return Files.writeString(folder.resolve("template.jinja"), GoldenJson.text("templates/" + name + ".jinja"));
    }

    @Test
    void findsAnswersWhereTheTemplateRewritesEarlierTurns() {
        Conversation conversation = Conversation.of(
                ChatMessage.of("system", "S"),
                ChatMessage.of("user", "one?"),
                ChatMessage.of("assistant", "one"),
                ChatMessage.of("user", "two?"),
                ChatMessage.of("assistant", "two"));

        EncodedExample encoded = new ExampleEncoder(PIECES, TrainOn.ASSISTANT).encode(conversation);
        assertThat(trainedRuns(PIECES, encoded)).containsExactly("one</s>", "two</s>");
    }

    @Test
    void believesGenerationBlocksExactly(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(
                folder.resolve("template.jinja"),
                "{% for m in messages %}<|im_start|>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
                        + "{% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes(), template, List.of())) {
            Conversation conversation =
                    Conversation.of(ChatMessage.of("user", "a"), ChatMessage.of("assistant", "🙂b"));
            assertThat(trainedRuns(tokenizer, new ExampleEncoder(tokenizer, TrainOn.ASSISTANT).encode(conversation)))
                    .containsExactly("🙂b");
        }
    }

    @Test
    void aLineEndAfterTheEndTokenIsNoMissingEnd(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(
                folder.resolve("template.jinja"),
                "{% for m in messages %}<|im_start|>{{ m.role }}\n{% generation %}{{ m.content }}<|im_end|>\n{% endgeneration %}{% endfor %}");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes(), template, List.of())) {
            EncodedExample encoded = new ExampleEncoder(tokenizer, TrainOn.ASSISTANT).encode(FOUR_TURNS);
            assertThat(trainedRuns(tokenizer, encoded)).last().isEqualTo("d<|im_end|>\n");
            assertThat(ControlTokens.of(tokenizer).missesEnd(encoded)).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {65, 200, 4000})
    @Timeout(600)
    void answersOfALongConversationAreThoseOfItsTurns(int answers) {
        List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.of("system", "S")));
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < answers; i++) {
            messages.add(ChatMessage.of("user", "question " + i));
            messages.add(ChatMessage.of("assistant", "answer " + i));
            expected.add("answer " + i + "<|im_end|>");
        }

        EncodedExample encoded = new ExampleEncoder(BYTES, TrainOn.ASSISTANT)
                .encode(Conversation.of(messages.toArray(ChatMessage[]::new)));
        assertThat(trainedRuns(BYTES, encoded)).isEqualTo(expected);
    }

    @Test
    @Timeout(600)
    void aLongConversationWhoseTurnsMustBeFoundOneByOneIsRefused(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(
                folder.resolve("template.jinja"),
                "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% if loop.last %}.{% endif %}{% endfor %}");
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            messages.add(ChatMessage.of("user", "question".repeat(200)));
            messages.add(ChatMessage.of("assistant", "answer".repeat(200)));
        }

        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes(), template, List.of())) {
            Conversation conversation = Conversation.of(messages.toArray(ChatMessage[]::new));
            assertThatThrownBy(() -> new ExampleEncoder(tokenizer, TrainOn.ASSISTANT).encode(conversation))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageStartingWith(
                            "Cannot find the assistant's turns in a conversation of 600 messages: expected to")
                    .hasMessageContaining("{% generation %}");
        }
    }

    @Test
    void aTemplateThatHidesAnAnswerIsRefused(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(folder.resolve("template.jinja"), "{{ messages|length }}");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes(), template, List.of())) {
            ExampleEncoder encoder = new ExampleEncoder(tokenizer, TrainOn.ASSISTANT);
            Conversation conversation = Conversation.of(ChatMessage.of("user", "a"), ChatMessage.of("assistant", "b"));
            assertThatThrownBy(() -> encoder.encode(conversation))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageStartingWith(
                            "Cannot find the assistant's turn messages[1] in the rendered conversation:");
        }
    }

    @Test
    void aConversationNeedsATemplate(@TempDir Path folder) throws IOException {
        Files.copy(TestTokenizers.bytes().resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder)) {
            ExampleEncoder encoder = new ExampleEncoder(tokenizer, TrainOn.ASSISTANT);
            assertThatThrownBy(() -> encoder.encode(Conversation.of(ChatMessage.of("user", "a"))))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageStartingWith(
                            "Cannot encode a conversation: expected a chat template beside the tokenizer");
            assertThatThrownBy(() -> encoder.encode(new PlainText("a")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("Cannot end a text: expected an eos_token");
        }
    }

    @Test
    void trainsACompletionAndItsEnd() {
        EncodedExample encoded = new ExampleEncoder(PIECES, TrainOn.ASSISTANT)
                .encode(new PromptCompletion("Question 🙂: ", "answer 🙂"));

        assertThat(encoded.ids()[0]).isEqualTo(1);
        assertThat(PIECES.decode(encoded.ids())).isEqualTo("Question 🙂: answer 🙂");
        assertThat(trainedRuns(PIECES, encoded)).hasSize(1).first().asString().endsWith("answer 🙂</s>");
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void theMaskCoversTheWholeCompletionAndNoTokenOfThePromptAlone(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        String prompt = randomText(random);
        String completion = randomText(random);
        EncodedExample encoded =
                new ExampleEncoder(BYTES, TrainOn.ASSISTANT).encode(new PromptCompletion(prompt, completion));
        int first = IntStream.range(0, encoded.length())
                .filter(t -> encoded.trained()[t])
                .findFirst()
                .orElseThrow();

        int[] untrained = Arrays.copyOf(encoded.ids(), first);
        int[] throughFirst = Arrays.copyOf(encoded.ids(), first + 1);
        assertThat(prompt).startsWith(wholeChars(BYTES.decodeWithSpecials(untrained)));
        assertThat(BYTES.decodeWithSpecials(throughFirst).length()).isGreaterThan(first == 0 ? 0 : prompt.length());
        assertThat(IntStream.range(first, encoded.length())).allMatch(t -> encoded.trained()[t]);
    }

    @Test
    void trainsAWholeTextAndItsEnd() {
        EncodedExample encoded = new ExampleEncoder(PIECES, TrainOn.ASSISTANT).encode(new PlainText("hello world"));

        assertThat(encoded.ids()).startsWith(1).endsWith(2);
        assertThat(encoded.trainedTokens()).isEqualTo(encoded.length() - 1);
    }

    @Test
    void neverWritesBosOrEosTwice() {
        EncodedExample plain = new ExampleEncoder(PIECES, TrainOn.ASSISTANT).encode(new PlainText("hello world"));
        EncodedExample written =
                new ExampleEncoder(PIECES, TrainOn.ASSISTANT).encode(new PlainText("<s>hello world</s>"));

        assertThat(written.ids()).containsOnlyOnce(1).containsOnlyOnce(2);
        assertThat(plain.ids()).containsOnlyOnce(1).containsOnlyOnce(2);
    }

    @Test
    void tokensAreTrainedWhereTheirLabelSaysSo() {
        EncodedExample encoded =
                ExampleEncoder.encodeTokens(new TokenSequence(new int[] {5, 6, 7, 8}, new int[] {5, -100, 7, 8}));

        assertThat(encoded)
                .isEqualTo(new EncodedExample(new int[] {5, 6, 7, 8}, new boolean[] {false, false, true, true}));
    }

    @Test
    void aLabelThatIsAnotherIdIsRefused() {
        Example shifted = new TokenSequence(new int[] {5, 6}, new int[] {6, -100});
        assertThatThrownBy(() -> new ExampleEncoder(BYTES, TrainOn.ASSISTANT).encode(shifted))
                .isInstanceOf(BadRecordException.class)
                .hasMessage("Cannot read labels[0]: expected input_ids[0], which is 5, or -100, found 6");
    }

    private static LongStream seeds() {
        return LongStream.range(0, 30);
    }

    private static String randomText(SplittableRandom random) {
        String[] parts = {"a", "the ", "\n", " ", "🙂", "é", "12", "日本", "👩‍👩‍👧", "it's", "  ", "<|im_start|>"};
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(1, 12); i > 0; i--) {
            text.append(parts[random.nextInt(parts.length)]);
        }

        return text.toString();
    }

    /** Without the sign for half a character, where the first trained token begins within one. */
    private static String wholeChars(String text) {
        return text.replaceAll("\ufffd+$", "");
    }

    /** The text of each unbroken run of trained tokens. */
    private static List<String> trainedRuns(ModelTokenizer tokenizer, EncodedExample example) {
        List<String> runs = new ArrayList<>();
        int from = -1;
        for (int t = 0; t <= example.length(); t++) {
            boolean trained = t < example.length() && example.trained()[t];
            if (trained && from < 0) {
                from = t;
            } else if (!trained && from >= 0) {
                runs.add(tokenizer.decodeWithSpecials(Arrays.copyOfRange(example.ids(), from, t)));
                from = -1;
            }
        }

        return runs;
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    private static int[] ones(boolean[] values) {
        return IntStream.range(0, values.length).map(t -> values[t] ? 1 : 0).toArray();
    }
}
