package org.sparkqlora.tokenizer;

import java.util.Arrays;
import java.util.List;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.Comparison;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Preference;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.Example.Unpaired;

/**
 * Turns a prompt and its answers into token ids, as TRL does for preferences: the ids of the prompt, with what asks the assistant to go on, and
 * those of prompt and answer together. Answers begin where the second differ from the first, in a pair both at one place. A text ends with
 * EOS, a conversation as its template ends it.
 */
record AnswerEncoder(ModelTokenizer tokenizer, ExampleEncoder examples) {
    private static final int NO_TOKEN = -1;

    EncodedDocuments encode(Preference pair) {
        return encode(List.of(pair.chosen(), pair.rejected()));
    }

    EncodedDocuments encode(Comparison pair) {
        int pad = tokenizer.pad().orElse(tokenizer.eos().orElse(NO_TOKEN));
        EncodedDocuments answers = encode(pair.answers());
        return new EncodedDocuments(
                answers.documents().stream()
                        .map(each -> each.withoutTrained(pad))
                        .toList(),
                new double[] {pair.margin()},
                answers.promptChanged());
    }

    EncodedDocuments encode(Unpaired unpaired) {
        return encode(List.of(unpaired.answer()), unpaired.desirable() ? 1 : 0);
    }

    private EncodedDocuments encode(List<Example> answers, double... values) {
        if (answers.get(0) instanceof TokenSequence) {
            return new EncodedDocuments(
                    answers.stream()
                            .map(each -> ExampleEncoder.encodeTokens((TokenSequence) each))
                            .toList(),
                    values,
                    false);
        }

        int[] prompt = prompt(answers.get(0));
        List<int[]> whole = answers.stream().map(this::whole).toList();
        int common = whole.stream()
                .mapToInt(ids -> commonBeginning(prompt, ids))
                .min()
                .orElse(0);
        return new EncodedDocuments(
                whole.stream().map(ids -> behind(common, ids)).toList(), values, common < prompt.length);
    }

    private static int commonBeginning(int[] a, int[] b) {
        int different = Arrays.mismatch(a, b);
        return different < 0 ? a.length : different;
    }

    private static EncodedExample behind(int prompt, int[] whole) {
        if (whole.length <= prompt) {
            throw new BadRecordException(
                    "Cannot encode an answer: expected more tokens than the %d of its prompt, found %d"
                            .formatted(prompt, whole.length));
        }

        boolean[] trained = new boolean[whole.length];
        Arrays.fill(trained, prompt, whole.length, true);
        return new EncodedExample(whole, trained);
    }

    private int[] prompt(Example answer) {
        if (answer instanceof Conversation conversation) {
            ChatTemplate template = examples.template(conversation);
            return tokenizer.encodeWithoutSpecials(template.renderPrompt(
                    conversation.messages().subList(0, conversation.promptMessages()), conversation.tools()));
        }

        return withoutDoubleBos(tokenizer.encode(((PromptCompletion) answer).prompt()));
    }

    private int[] whole(Example answer) {
        if (answer instanceof Conversation conversation) {
            return tokenizer.encodeWithoutSpecials(examples.render(conversation));
        }

        PromptCompletion text = (PromptCompletion) answer;
        int[] ids = withoutDoubleBos(tokenizer.encode(text.prompt() + text.completion()));
        int eos = examples.requireEos();
        if (ids.length > 0 && ids[ids.length - 1] == eos) {
            return ids;
        }

        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = eos;
        return ended;
    }

    /** A text may begin with the BOS that the tokenizer puts before it too. */
    private int[] withoutDoubleBos(int[] ids) {
        int bos = tokenizer.bos().orElse(-1);
        return ids.length > 1 && ids[0] == bos && ids[1] == bos ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
