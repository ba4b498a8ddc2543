package org.sparkqlora.tokenizer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.data.jinja.Template;
import org.sparkqlora.data.jinja.TemplateException;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.Sha256;

/**
 * The tokenizer files of a model folder.
 *
 * @param tokenizer {@code tokenizer.json}
 * @param templateSource the chat template, null without one
 * @param templateOrigin the file that holds it, for messages
 */
record TokenizerFiles(
        Path tokenizer,
        SpecialTokens specialTokens,
        @Nullable String templateSource,
        Path templateOrigin) {
    static final String TOKENIZER = "tokenizer.json";
    static final String CONFIG = "tokenizer_config.json";
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String SENTENCEPIECE = "tokenizer.model";

    static TokenizerFiles of(Path folder) {
        Path tokenizer = requireTokenizer(folder);
        Path configFile = folder.resolve(CONFIG);
        TokenizerConfigJson config = TokenizerConfigJson.read(configFile);
        Map<String, String> specials = new LinkedHashMap<>(TokenizerConfigJson.read(folder.resolve(SPECIAL_TOKENS))
                .specialTokens()
                .texts());
        specials.putAll(config.specialTokens().texts());
        SpecialTokens specialTokens = new SpecialTokens(specials);
        Path templateFile = folder.resolve(TEMPLATE);
        return Files.exists(templateFile)
                ? new TokenizerFiles(tokenizer, specialTokens, readText(templateFile), templateFile)
                : new TokenizerFiles(
                        tokenizer, specialTokens, config.chatTemplate().orElse(null), configFile);
    }

    TokenizerFiles withChatTemplate(TemplateText template) {
        return new TokenizerFiles(tokenizer, specialTokens, template.text(), Path.of(template.origin()));
    }

    Optional<ChatTemplate> chatTemplate() {
        if (templateSource == null) {
            return Optional.empty();
        }

        try {
            return Optional.of(ChatTemplate.of(Template.parse(templateSource), specialTokens.texts()));
        } catch (TemplateException e) {
            throw new BadInputException(
                    "Cannot use the chat template of %s: %s".formatted(templateOrigin, e.getMessage()), e);
        }
    }

    boolean asksForTheDay() {
        return templateSource != null && ChatTemplate.asksForTheDay(templateSource);
    }

    /** SHA-256 over the tokenizer, the special tokens and the template. */
    String fingerprint() {
        MessageDigest digest = digest(tokenizer);
        digest.update(specialTokens.texts().toString().getBytes(StandardCharsets.UTF_8));
        digest.update((templateSource == null ? "" : templateSource).getBytes(StandardCharsets.UTF_8));
        return Sha256.hex(digest);
    }

    /** SHA-256 of a file, in hex digits. */
    static String hash(Path file) {
        return Sha256.hex(digest(file));
    }

    private static MessageDigest digest(Path file) {
        MessageDigest digest = Sha256.digest();
        try (InputStream input = new DigestInputStream(Files.newInputStream(file), digest)) {
            input.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }

        return digest;
    }

    /** The path of {@code tokenizer.json} in a model folder, which must be there. */
    static Path requireTokenizer(Path folder) {
        Path tokenizer = folder.resolve(TOKENIZER);
        if (Files.isRegularFile(tokenizer)) {
            return tokenizer;
        }

        if (!Files.isDirectory(folder)) {
            throw new BadInputException("Cannot open the tokenizer of %s: expected a model folder, found %s"
                    .formatted(folder, kind(folder)));
        }

        throw new BadInputException("Cannot open the tokenizer of %s: expected a file %s, found %s"
                .formatted(folder, TOKENIZER, foundInstead(folder)));
    }

    private static String foundInstead(Path folder) {
        return Files.exists(folder.resolve(SENTENCEPIECE))
                ? SENTENCEPIECE + " only. Load and save the tokenizer with transformers to convert it"
                : "none";
    }

    private static String kind(Path path) {
        return Files.exists(path) ? "a file" : "nothing";
    }

    private static String readText(Path file) {
        try {
            return BoundedText.read(file, InputLimits.DEFAULT.configBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read the chat template " + file, e);
        }
    }
}
