package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** The tokenizer files of a Hugging Face folder, as far as a GGUF file repeats them. */
final class TokenizerSourceJson {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String CONTENT = "content";
    private static final Set<String> SPECIALS =
            Set.of("additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens");

    private final Path folder;
    private final JsonNode tokenizer;
    private final JsonNode config;

    private TokenizerSourceJson(Path folder) {
        this.folder = folder;
        this.tokenizer = read("tokenizer.json");
        this.config = read("tokenizer_config.json");
    }

    static TokenizerSourceJson of(Path folder) {
        return new TokenizerSourceJson(folder);
    }

    /** A token that was added to the vocabulary, or marked in it. */
    record Added(int id, String content, boolean special) {}

    Path folder() {
        return folder;
    }

    /** {@code tokenizer.json}; missing where there is none. */
    JsonNode tokenizer() {
        return tokenizer;
    }

    /** {@code tokenizer_config.json}; missing where there is none. */
    JsonNode config() {
        return config;
    }

    /** {@code config.json}. */
    JsonNode modelConfig() {
        return read(ModelConfigJson.FILE_NAME);
    }

    JsonNode model() {
        return tokenizer.path("model");
    }

    /** Token ids by text, without those added. */
    Map<String, Integer> vocabulary() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        model().path("vocab")
                .fields()
                .forEachRemaining(
                        entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        return ids;
    }

    /** Pairs of tokens, in order of priority. */
    List<List<String>> merges() {
        List<List<String>> merges = new ArrayList<>();
        for (JsonNode merge : model().path("merges")) {
            if (merge.isArray()) {
                merges.add(List.of(merge.path(0).asText(), merge.path(1).asText()));
            } else {
                int blank = merge.asText().indexOf(' ', 1);
                merges.add(List.of(
                        merge.asText().substring(0, blank), merge.asText().substring(blank + 1)));
            }
        }

        return merges;
    }

    /** The tokens that have a role: those of {@code *_token} and lists of special ones in {@code tokenizer_config.json}. */
    Set<String> roles() {
        Set<String> roles = new LinkedHashSet<>();
        config.fields().forEachRemaining(entry -> {
            if (entry.getKey().endsWith("_token")) {
                content(entry.getValue()).ifPresent(roles::add);
            } else if (SPECIALS.contains(entry.getKey())) {
                entry.getValue().forEach(each -> content(each).ifPresent(roles::add));
            }
        });
        return roles;
    }

    /** Those of {@code tokenizer.json}. */
    List<Added> added() {
        List<Added> added = new ArrayList<>();
        for (JsonNode token : tokenizer.path("added_tokens")) {
            added.add(added(token.path("id").asInt(), token));
        }

        return added;
    }

    /** Those of the slow tokenizer: of {@code added_tokens.json}, and then of {@code tokenizer_config.json}. */
    List<Added> slowAdded() {
        List<Added> added = new ArrayList<>();
        read("added_tokens.json")
                .fields()
                .forEachRemaining(entry -> added.add(new Added(entry.getValue().asInt(), entry.getKey(), false)));
        config.path("added_tokens_decoder")
                .fields()
                .forEachRemaining(entry -> added.add(added(Integer.parseInt(entry.getKey()), entry.getValue())));
        return added;
    }

    /** The file with SentencePiece's pieces, if there is one. */
    Optional<Path> sentencePieces() {
        return Optional.of(folder.resolve("tokenizer.model")).filter(Files::isRegularFile);
    }

    /** Whether it is byte-pair encoding over characters, which writes what it has no piece for in bytes. */
    boolean fallsBackToBytes() {
        return model().path("byte_fallback").asBoolean()
                && tokenizer.path("decoder").path("type").asText().equals("Sequence");
    }

    /** Whether the file names byte-pair encoding. */
    boolean isBytePairs() {
        return model().path("type").asText().equals("BPE");
    }

    /** The text of a special token's entry, which is a text or an object. */
    static Optional<String> content(JsonNode entry) {
        JsonNode text = entry.isObject() ? entry.path(CONTENT) : entry;
        return text.isTextual() ? Optional.of(text.textValue()) : Optional.empty();
    }

    /** The chat template, as transformers looks for it: a text, or a list of named ones. */
    JsonNode chatTemplate() {
        Path file = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(file)) {
            return MAPPER.getNodeFactory().textNode(text(file));
        }

        JsonNode own = config.path("chat_template");
        return own.isMissingNode() ? read("chat_template.json").path("chat_template") : own;
    }

    private static Added added(int id, JsonNode token) {
        return new Added(id, token.path(CONTENT).asText(), token.path("special").asBoolean());
    }

    private JsonNode read(String name) {
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            return MissingNode.getInstance();
        }

        try {
            return MAPPER.readTree(text(file));
        } catch (JsonProcessingException e) {
            throw new InvalidWeightsException("Cannot read %s: expected JSON, found an error".formatted(file), e);
        }
    }

    private static String text(Path file) {
        try {
            return BoundedText.read(file, InputLimits.DEFAULT.tokenizerBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }
}
