package org.sparkqlora.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkqlora.data.BrokenJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/** The files of a model's tokenizer with tokens added, which get the ids behind its own. */
public final class GrownTokenizerJson {
    private static final String ADDED = "added_tokens";
    private static final String DECODER = "added_tokens_decoder";
    private static final String SLOW_ADDED = "added_tokens.json";
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final Path folder;
    private final List<AddedToken> tokens;
    private final int first;

    private GrownTokenizerJson(Path folder, List<AddedToken> tokens, int first) {
        this.folder = folder;
        this.tokens = tokens;
        this.first = first;
    }

    /** The tokenizer of {@code modelFolder} with {@code tokens}, none of which it may have. */
    public static GrownTokenizerJson of(Path modelFolder, List<AddedToken> tokens) {
        Path file = TokenizerFiles.requireTokenizer(modelFolder);
        TokenizerJson own = TokenizerJson.read(file);
        List<String> known = tokens.stream()
                .map(AddedToken::content)
                .filter(own.ids()::containsKey)
                .map(content -> String.format(
                        Locale.ROOT, "%s (id %d)", content, own.ids().get(content)))
                .toList();
        if (!known.isEmpty()) {
            throw new BadInputException(
                    "Cannot add tokens to %s: expected tokens that it has not, found %s".formatted(file, known));
        }

        return new GrownTokenizerJson(modelFolder, List.copyOf(tokens), own.vocabularySize());
    }

    /**
     * The tokens that another tokenizer has beyond that of {@code modelFolder}, in the order of their ids, which follow it.
     *
     * @param document name of the other's {@code tokenizer.json} in messages
     * @param text of it
     */
    public static List<AddedToken> beyond(Path modelFolder, String document, String text) {
        TokenizerJson own = TokenizerJson.read(TokenizerFiles.requireTokenizer(modelFolder));
        List<AddedToken> tokens = new ArrayList<>();
        for (JsonNode token : tree(document, text).path(ADDED)) {
            String content = token.path("content").asText();
            if (own.ids().containsKey(content)) {
                continue;
            }

            int expected = own.vocabularySize() + tokens.size();
            if (token.path("id").asInt(-1) != expected) {
                throw new BadInputException(
                        "Cannot use %s: expected new tokens to have the ids from %d on, in their order, found %s with id %s. Is the adapter one of the model %s?"
                                .formatted(document, own.vocabularySize(), content, token.path("id"), modelFolder));
            }

            tokens.add(token(content, token));
        }

        return tokens;
    }

    /** One more than the largest id. */
    public int size() {
        return first + tokens.size();
    }

    /** The texts of the files that tell the tokens, by name. */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put(TokenizerFiles.TOKENIZER, tokenizerText());
        if (Files.exists(folder.resolve(TokenizerFiles.CONFIG))) {
            texts.put(TokenizerFiles.CONFIG, configText());
        }

        if (Files.exists(folder.resolve(SLOW_ADDED))) {
            ObjectNode ids = read(SLOW_ADDED);
            for (int i = 0; i < tokens.size(); i++) {
                ids.put(tokens.get(i).content(), first + i);
            }

            texts.put(SLOW_ADDED, text(ids));
        }

        return texts;
    }

    /** {@code tokenizer.json}. */
    String tokenizerText() {
        ObjectNode root = read(TokenizerFiles.TOKENIZER);
        for (int i = 0; i < tokens.size(); i++) {
            ObjectNode node = root.withArray(ADDED).addObject();
            node.put("id", first + i);
            describe(tokens.get(i), node);
        }

        return text(root);
    }

    private String configText() {
        ObjectNode root = read(TokenizerFiles.CONFIG);
        if (root.path(DECODER).isObject()) {
            for (int i = 0; i < tokens.size(); i++) {
                describe(tokens.get(i), root.withObject("/" + DECODER).putObject(String.valueOf(first + i)));
            }
        }

        return text(root);
    }

    private static void describe(AddedToken token, ObjectNode node) {
        node.put("content", token.content());
        node.put("single_word", token.singleWord());
        node.put("lstrip", token.leftStrip());
        node.put("rstrip", token.rightStrip());
        node.put("normalized", token.normalized());
        node.put("special", token.special());
    }

    private static AddedToken token(String content, JsonNode node) {
        return new AddedToken(
                content,
                node.path("single_word").asBoolean(),
                node.path("lstrip").asBoolean(),
                node.path("rstrip").asBoolean(),
                node.path("normalized").asBoolean(),
                node.path("special").asBoolean());
    }

    private ObjectNode read(String name) {
        Path file = folder.resolve(name);
        try {
            return tree(file.toString(), BoundedText.read(file, InputLimits.DEFAULT.tokenizerBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    private static ObjectNode tree(String document, String text) {
        try {
            if (MAPPER.readTree(text) instanceof ObjectNode root) {
                return root;
            }
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    "Cannot read %s: expected JSON, found an error%s".formatted(document, BrokenJson.text(e)), e);
        }

        throw new BadInputException("Cannot read %s: expected a JSON object, found none".formatted(document));
    }

    private static String text(ObjectNode root) {
        return root.toPrettyString() + "\n";
    }
}
