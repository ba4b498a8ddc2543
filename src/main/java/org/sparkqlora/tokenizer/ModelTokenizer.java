package org.sparkqlora.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.tokenizer.NativeEncoding.Specials;

/**
 * The tokenizer of a Hugging Face model folder, with its special tokens and chat template. Safe for use by many threads.
 *
 * <p>Never truncates or pads, whatever {@code tokenizer.json} asks for.
 */
public final class ModelTokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    private final TokenizerJson vocabulary;
    private final SpecialTokens specialTokens;
    private final @Nullable ChatTemplate chatTemplate;
    private final String fingerprint;

    private ModelTokenizer(
            TokenizerFiles files, TokenizerJson vocabulary, List<AddedToken> added, HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary.with(added);
        this.specialTokens = files.specialTokens();
        this.chatTemplate = files.chatTemplate().orElse(null);
        this.fingerprint = fingerprint(files, added);
    }

    /** The {@link #fingerprint()} of what {@link #openWith} would open. */
    public static String fingerprintOf(Path modelFolder, @Nullable TemplateText chatTemplate, List<AddedToken> added) {
        return fingerprint(files(modelFolder, chatTemplate), added);
    }

    /** Whether the template of what {@link #openWith} would open may ask for the day. */
    public static boolean asksForTheDay(Path modelFolder, @Nullable TemplateText chatTemplate) {
        return files(modelFolder, chatTemplate).asksForTheDay();
    }

    /** SHA-256 of {@code tokenizer.json} in {@code modelFolder}, in hex digits. */
    public static String hashOf(Path modelFolder) {
        return TokenizerFiles.hash(TokenizerFiles.requireTokenizer(modelFolder));
    }

    /** Opens the tokenizer of {@code modelFolder}. */
    public static ModelTokenizer open(Path modelFolder) {
        return open(modelFolder, null, List.of());
    }

    /**
     * Opens the tokenizer of {@code modelFolder}.
     *
     * @param chatTemplate a file used in place of the model's own template; null: its own
     * @param added tokens that it gets beside its own
     */
    public static ModelTokenizer open(Path modelFolder, @Nullable Path chatTemplate, List<AddedToken> added) {
        return openWith(modelFolder, chatTemplate == null ? null : TemplateText.read(chatTemplate), added);
    }

    /**
     * Opens the tokenizer of {@code modelFolder}.
     *
     * @param chatTemplate used in place of the model's own template; null: its own
     * @param added tokens that it gets beside its own
     */
    public static ModelTokenizer openWith(
            Path modelFolder, @Nullable TemplateText chatTemplate, List<AddedToken> added) {
        TokenizerFiles files = files(modelFolder, chatTemplate);
        TokenizerJson vocabulary = TokenizerJson.read(files.tokenizer()); // before the native library, which may abort
        HuggingFaceTokenizer tokenizer = added.isEmpty()
                ? TokenizerNatives.open(files.tokenizer())
                : TokenizerNatives.open(
                        files.tokenizer(),
                        GrownTokenizerJson.of(modelFolder, added).tokenizerText());
        try {
            return new ModelTokenizer(files, vocabulary, added, tokenizer);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static TokenizerFiles files(Path modelFolder, @Nullable TemplateText chatTemplate) {
        TokenizerFiles own = TokenizerFiles.of(modelFolder);
        return chatTemplate == null ? own : own.withChatTemplate(chatTemplate);
    }

    private static String fingerprint(TokenizerFiles files, List<AddedToken> added) {
        return added.isEmpty() ? files.fingerprint() : files.fingerprint() + " with " + added;
    }

    /** Ids with the special tokens that the tokenizer itself puts around a text, such as BOS. */
    public int[] encode(String text) {
        return ids(text, Specials.OF_TOKENIZER);
    }

    /** Ids of the text alone; special tokens that are written in the text are recognised. */
    public int[] encodeWithoutSpecials(String text) {
        return ids(text, Specials.NONE);
    }

    /** Ids as of {@link #encode} and the place of each. */
    TokenizedText locate(String text) {
        return located(text, Specials.OF_TOKENIZER);
    }

    /** Ids as of {@link #encodeWithoutSpecials} and the place of each. */
    TokenizedText locateWithoutSpecials(String text) {
        return located(text, Specials.NONE);
    }

    /** The text of {@code ids}, special tokens left out. */
    public String decode(int[] ids) {
        return tokenizer.decode(longs(ids), true);
    }

    /** The text of {@code ids}, special tokens written out. */
    public String decodeWithSpecials(int[] ids) {
        return tokenizer.decode(longs(ids), false);
    }

    /** The token that begins a text. */
    public OptionalInt bos() {
        return id(SpecialTokens.BOS);
    }

    /** The token that ends a text. */
    public OptionalInt eos() {
        return id(SpecialTokens.EOS);
    }

    /** The token for padding. */
    public OptionalInt pad() {
        return id(SpecialTokens.PAD);
    }

    /** Whether {@code id} is a control token, such as BOS or the end of a turn. */
    public boolean isSpecial(int id) {
        return vocabulary.specialIds().contains(id);
    }

    /** Whether {@code id} stands for white space alone. */
    public boolean isBlank(int id) {
        return decodeWithSpecials(new int[] {id}).isBlank();
    }

    /** The chat template of the model. */
    public Optional<ChatTemplate> chatTemplate() {
        return Optional.ofNullable(chatTemplate);
    }

    /** One more than the largest id; the model's embedding may have more rows. */
    public int vocabularySize() {
        return vocabulary.vocabularySize();
    }

    /** SHA-256 of all that decides which ids a text gets. */
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    private OptionalInt id(String role) {
        Integer id = specialTokens.text(role).map(vocabulary.ids()::get).orElse(null);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    private int[] ids(String text, Specials specials) {
        return NativeEncoding.ids(tokenizer, vocabulary.limit().require(text), specials);
    }

    private TokenizedText located(String text, Specials specials) {
        return NativeEncoding.located(tokenizer, vocabulary.limit().require(text), specials);
    }

    private static long[] longs(int[] ids) {
        return Arrays.stream(ids).asLongStream().toArray();
    }
}
