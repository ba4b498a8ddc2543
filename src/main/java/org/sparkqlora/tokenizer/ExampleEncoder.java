package org.sparkqlora.tokenizer;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.Comparison;
import org.sparkqlora.data.Example.Conversation;
import org.sparkqlora.data.Example.Labeled;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.data.Example.Preference;
import org.sparkqlora.data.Example.PromptCompletion;
import org.sparkqlora.data.Example.TokenSequence;
import org.sparkqlora.data.Example.Unpaired;
import org.sparkqlora.data.jinja.Rendering;
import org.sparkqlora.data.jinja.Rendering.Span;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TemplateLimits;

/**
 * Turns an example into token ids and says which are trained: the assistant's turns, the completion, or the whole text.
 *
 * <p>The text is tokenised once, as a whole, so that ids are those the model meets when it is used; a token that reaches into a
 * trained part is trained. Masks go by position, never by id, so that an end-of-sequence token is trained even where it also
 * serves as padding. A conversation gets only the BOS that its template writes, as in transformers. Safe for use by many threads.
 *
 * @param day that the template is told; null for that on which the tokenizer was opened
 * @param limits on what the template uses
 */
public record ExampleEncoder(
        ModelTokenizer tokenizer, TrainOn trainOn, @Nullable LocalDate day, TemplateLimits limits) {
    private static final int NO_TOKEN = -1;

    public ExampleEncoder(ModelTokenizer tokenizer, TrainOn trainOn) {
        this(tokenizer, trainOn, null, TemplateLimits.DEFAULT);
    }

    /** Throws {@link BadRecordException} when the example cannot be used. */
    public EncodedExample encode(Example example) {
        if (example instanceof Conversation conversation) {
            return trainOn == TrainOn.ALL
                    ? encodeWhole(conversation)
                    : encodeConversation(trainOn.narrow(conversation));
        }

        if (example instanceof PromptCompletion pair) {
            return encodeText(
                    pair.prompt() + pair.completion(),
                    trainOn == TrainOn.ALL ? 0 : pair.prompt().length());
        }

        if (example instanceof PlainText text) {
            return encodeText(text.text(), 0);
        }

        return encodeTokens((TokenSequence) example);
    }

    /** The documents of an example: of a preference both answers behind their prompt. */
    public EncodedDocuments documents(Example example) {
        if (example instanceof Preference pair) {
            return new AnswerEncoder(tokenizer, this).encode(pair);
        }

        if (example instanceof Comparison pair) {
            return new AnswerEncoder(tokenizer, this).encode(pair);
        }

        if (example instanceof Labeled labeled) {
            return new EncodedDocuments(List.of(scored(labeled.text())), labeled.labels(), false);
        }

        return example instanceof Unpaired unpaired
                ? new AnswerEncoder(tokenizer, this).encode(unpaired)
                : EncodedDocuments.of(encode(example));
    }

    /** The documents of an example of ids made elsewhere; needs no tokenizer. */
    public static EncodedDocuments documentsOfTokens(Example example) {
        if (example instanceof Preference pair) {
            return bothTokens(pair);
        }

        if (example instanceof Comparison pair) {
            return bothTokens(pair.answers(), pair.margin());
        }

        if (example instanceof Labeled labeled) {
            return new EncodedDocuments(List.of(tokens(labeled.text())), labeled.labels(), false);
        }

        return example instanceof Unpaired unpaired
                ? new EncodedDocuments(
                        List.of(tokens(unpaired.answer())), new double[] {unpaired.desirable() ? 1 : 0}, false)
                : EncodedDocuments.of(tokens(example));
    }

    private static EncodedDocuments bothTokens(Preference pair, double... values) {
        return new EncodedDocuments(List.of(tokens(pair.chosen()), tokens(pair.rejected())), values, false);
    }

    /** A text as a head scores it: as the tokenizer or the template writes it, without EOS behind it. All of it counts as trained. */
    public EncodedExample scored(Example text) {
        if (text instanceof TokenSequence tokens) {
            return encodeTokens(tokens);
        }

        int[] ids = text instanceof Conversation
                ? tokenizer.encodeWithoutSpecials(render(text))
                : tokenizer.encode(render(text));
        if (ids.length == 0) {
            throw new BadRecordException("Cannot score a text of 0 tokens: expected at least 1");
        }

        boolean[] trained = new boolean[ids.length];
        Arrays.fill(trained, true);
        return new EncodedExample(ids, trained).withoutTrained(tokenizer.pad().orElse(NO_TOKEN));
    }

    private static EncodedExample tokens(Example example) {
        if (example instanceof TokenSequence tokens) {
            return encodeTokens(tokens);
        }

        throw new BadRecordException("Cannot read a record of tokens: expected ids, such as input_ids and labels");
    }

    /** Ids made elsewhere; needs no tokenizer. */
    public static EncodedExample encodeTokens(TokenSequence sequence) {
        boolean[] trained = new boolean[sequence.ids().length];
        for (int t = 0; t < trained.length; t++) {
            trained[t] = isTrained(sequence, t);
        }

        return new EncodedExample(sequence.ids(), trained);
    }

    private static boolean isTrained(TokenSequence sequence, int t) {
        int id = sequence.ids()[t];
        int label = sequence.labels()[t];
        if (label != TokenSequence.NOT_TRAINED && label != id) {
            throw new BadRecordException("Cannot read labels[%d]: expected input_ids[%d], which is %d, or %d, found %d"
                    .formatted(t, t, id, TokenSequence.NOT_TRAINED, label));
        }

        return label == id;
    }

    private EncodedExample encodeConversation(Conversation conversation) {
        ChatTemplate template = template(conversation);
        Rendering rendering = AnswerSpans.find(template, conversation);
        TokenizedText tokens =
                requireSome(tokenizer.locateWithoutSpecials(rendering.text()).withSpaces());
        boolean[] trained = new boolean[tokens.length()];
        for (Span span : rendering.generated()) {
            int last = mark(tokens, span, trained);
            if (last >= 0 && !template.marksGeneration()) {
                endWithTurn(tokens, rendering.text(), span, last, trained);
            }
        }

        return new EncodedExample(tokens.ids(), trained);
    }

    private EncodedExample encodeWhole(Conversation conversation) {
        TokenizedText tokens = requireSome(tokenizer.locateWithoutSpecials(render(conversation)));
        boolean[] trained = new boolean[tokens.length()];
        Arrays.fill(trained, true);
        return new EncodedExample(tokens.ids(), trained);
    }

    private static TokenizedText requireSome(TokenizedText tokens) {
        if (tokens.length() == 0) {
            throw new BadRecordException("Cannot encode the conversation: its chat template writes nothing");
        }

        return tokens;
    }

    /** A conversation as text, as the chat template writes it; of any other example, the text that its ids stand for. */
    public String render(Example example) {
        if (example instanceof Conversation conversation) {
            return template(conversation).renderConversation(conversation.messages(), conversation.tools());
        }

        if (example instanceof PromptCompletion pair) {
            return pair.prompt() + pair.completion();
        }

        return example instanceof PlainText text
                ? text.text()
                : tokenizer.decodeWithSpecials(((TokenSequence) example).ids());
    }

    ChatTemplate template(Conversation conversation) {
        return tokenizer
                .chatTemplate()
                .map(template -> day == null ? template : template.on(day))
                .map(template -> template.with(conversation.variables()).within(limits))
                .orElseThrow(() -> new BadRecordException(
                        "Cannot encode a conversation: expected a chat template beside the tokenizer, found none. Give one with"
                                + " --chat-template, or use records of another format"));
    }

    /** Marks the tokens that reach into {@code span}; gives the last of them, or -1. */
    private static int mark(TokenizedText tokens, Span span, boolean[] trained) {
        int last = -1;
        for (int t = 0; t < trained.length; t++) {
            if (tokens.overlaps(t, span.from(), span.to())) {
                trained[t] = true;
                last = t;
            }
        }

        return last;
    }

    /**
     * Lets a turn's mask end with its end-of-turn token: one that follows the turn at once is taken in, white space after one,
     * which only separates turns, is left out.
     */
    private void endWithTurn(TokenizedText tokens, String text, Span turn, int last, boolean[] trained) {
        int end = last;
        while (end >= 0 && trained[end] && !tokenizer.isSpecial(tokens.ids()[end])) {
            end--;
        }

        boolean within = end >= 0 && trained[end] && isBlank(text, tokens.to()[end], turn.to());
        if (within) {
            Arrays.fill(trained, end + 1, last + 1, false);
        } else if (endsTurn(tokens, text, turn, last + 1)) {
            trained[last + 1] = true;
        }
    }

    private boolean endsTurn(TokenizedText tokens, String text, Span turn, int next) {
        return next < tokens.length()
                && tokenizer.isSpecial(tokens.ids()[next])
                && isBlank(text, turn.to(), tokens.from()[next]);
    }

    private static boolean isBlank(String text, int from, int to) {
        return from >= to || text.substring(from, to).isBlank();
    }

    /** A text with the tokenizer's own special tokens, trained from char {@code trainedFrom} on, and EOS, which is trained. */
    private EncodedExample encodeText(String text, int trainedFrom) {
        TokenizedText tokens = tokenizer.locate(text).withSpaces();
        int first = writesBosTwice(tokens) ? 1 : 0;
        int eos = requireEos();
        boolean ended = tokens.length() > first && tokens.ids()[tokens.length() - 1] == eos;
        int length = tokens.length() - first + (ended ? 0 : 1);
        int[] ids = new int[length];
        boolean[] trained = new boolean[length];
        for (int t = first; t < tokens.length(); t++) {
            ids[t - first] = tokens.ids()[t];
            trained[t - first] = tokens.overlaps(t, trainedFrom, text.length());
        }

        ids[length - 1] = eos;
        trained[length - 1] = true;
        return new EncodedExample(ids, trained);
    }

    /** When the text itself begins with BOS and the tokenizer puts one before it. */
    private boolean writesBosTwice(TokenizedText tokens) {
        int bos = tokenizer.bos().orElse(-1);
        return tokens.length() > 1 && tokens.isAdded(0) && tokens.ids()[0] == bos && tokens.ids()[1] == bos;
    }

    int requireEos() {
        return tokenizer
                .eos()
                .orElseThrow(
                        () -> new BadInputException(
                                "Cannot end a text: expected an eos_token in tokenizer_config.json that the vocabulary has, found none"));
    }
}
