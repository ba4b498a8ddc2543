package org.sparkqlora.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sparkqlora.data.BrokenJson;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedText;
import org.sparkqlora.input.InputLimits;

/**
 * The vocabulary in {@code tokenizer.json}, streamed, since the file may hold 100 thousand merges that we don't need.
 *
 * @param ids id of each token
 * @param specialIds ids of the added tokens that are marked special
 * @param limit of the texts that its regular expressions can search
 */
record TokenizerJson(Map<String, Integer> ids, Set<Integer> specialIds, TextLimit limit) {
    /** Above any vocabulary; the native library makes room for all ids up to the largest. */
    static final int LARGEST_ID = 1 << 24;

    private static final String PREFIX = "continuing_subword_prefix";

    TokenizerJson {
        ids = Map.copyOf(ids);
        specialIds = Set.copyOf(specialIds);
    }

    static TokenizerJson read(Path file) {
        Map<String, Integer> ids = new HashMap<>();
        Set<Integer> specialIds = new HashSet<>();
        TextLimit limit;
        try (JsonParser whole = parser(file);
                JsonParser parser = parser(file)) {
            requireValues(whole);
            limit = readRoot(parser, ids, specialIds);
        } catch (JsonProcessingException e) {
            throw new BadInputException(
                    "Cannot read %s: expected a tokenizer as JSON, found an error%s"
                            .formatted(file, BrokenJson.text(e)),
                    e);
        } catch (CharConversionException e) {
            throw new BadInputException("Cannot read %s: expected text in UTF-8, found other bytes".formatted(file), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }

        if (ids.isEmpty()) {
            throw new BadInputException(
                    "Cannot read %s: expected a tokenizer with model.vocab, found none".formatted(file));
        }

        return new TokenizerJson(ids, specialIds, limit);
    }

    private static JsonParser parser(Path file) throws IOException {
        BoundedText.requireSize(file, InputLimits.DEFAULT.tokenizerBytes());
        StreamReadConstraints constraints = StreamReadConstraints.builder()
                .maxNestingDepth(InputLimits.DEFAULT.tokenizerDepth())
                .build();
        JsonFactory factory =
                JsonFactory.builder().streamReadConstraints(constraints).build();
        return new JsonMapper(factory).createParser(file.toFile());
    }

    /** The native library ends the process on some JSON that Jackson reads: halves of characters, numbers that are too large. */
    private static void requireValues(JsonParser parser) throws IOException {
        CharsetEncoder unicode = StandardCharsets.UTF_8.newEncoder();
        for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
            boolean text = token == JsonToken.FIELD_NAME || token == JsonToken.VALUE_STRING;
            if (text && !unicode.canEncode(parser.getText())) {
                throw new JsonParseException(parser, "half a surrogate pair");
            }

            if (token.isNumeric() && !Double.isFinite(parser.getDoubleValue())) {
                throw new JsonParseException(parser, "a number beyond those of 64 bits");
            }
        }
    }

    /** This tokenizer with additional tokens, whose ids follow the vocabulary's. */
    TokenizerJson with(List<AddedToken> tokens) {
        if (tokens.isEmpty()) {
            return this;
        }

        Map<String, Integer> moreIds = new HashMap<>(ids);
        Set<Integer> moreSpecials = new HashSet<>(specialIds);
        int next = vocabularySize();
        for (AddedToken token : tokens) {
            moreIds.put(token.content(), next);
            if (token.special()) {
                moreSpecials.add(next);
            }

            next++;
        }

        return new TokenizerJson(moreIds, moreSpecials, limit);
    }

    /** One more than the largest id. */
    int vocabularySize() {
        return 1 + ids.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    private static TextLimit readRoot(JsonParser parser, Map<String, Integer> ids, Set<Integer> specialIds)
            throws IOException {
        Set<String> names = new HashSet<>();
        JsonNode added = MissingNode.getInstance();
        Map<String, JsonNode> parts = new HashMap<>();
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            if (!names.add(name)) {
                throw new JsonParseException(parser, name + " twice");
            }

            parser.nextToken();
            switch (name) {
                case "added_tokens" -> added = readAddedTokens(parser, ids, specialIds);
                case "model" -> readModel(parser, ids);
                default -> parts.put(name, readPart(parser, name));
            }
        }

        JsonNode normalizer = part(parts, "normalizer");
        NativeComponentsJson.checkAdded(added, normalizer);
        return TokenizerRegexJson.limit(normalizer, part(parts, "pre_tokenizer"), part(parts, "decoder"));
    }

    private static JsonNode part(Map<String, JsonNode> parts, String name) {
        return parts.getOrDefault(name, MissingNode.getInstance());
    }

    private static JsonNode readAddedTokens(JsonParser parser, Map<String, Integer> ids, Set<Integer> specialIds)
            throws IOException {
        JsonNode tokens = parser.readValueAsTree();
        for (JsonNode token : tokens) {
            int id = requireId(token.path("id").intValue());
            ids.put(token.path("content").asText(), id);
            if (token.path("special").booleanValue()) {
                specialIds.add(id);
            }
        }

        return tokens;
    }

    private static JsonNode readPart(JsonParser parser, String name) throws IOException {
        if (NativeComponentsJson.names(name)) {
            JsonNode part = parser.readValueAsTree();
            NativeComponentsJson.check(name, part);
            return part;
        }

        parser.skipChildren();
        return MissingNode.getInstance();
    }

    private static void readModel(JsonParser parser, Map<String, Integer> ids) throws IOException {
        if (!parser.isExpectedStartObjectToken()) {
            throw new JsonParseException(parser, "no object as model");
        }

        boolean merged = false;
        String prefix = "";
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            merged |= name.equals("merges");
            if (name.equals(PREFIX) && value == JsonToken.VALUE_STRING) {
                prefix = parser.getText();
                requirePlace(parser, merged && !prefix.isEmpty());
            } else if (name.equals("merges") && !prefix.isEmpty()) {
                NativeComponentsJson.checkMerges(prefix, parser.readValueAsTree());
            } else if (!name.equals("vocab")) {
                parser.skipChildren();
            } else if (value == JsonToken.START_ARRAY) {
                readScoredPieces(parser, ids);
            } else {
                readIds(parser, ids);
            }
        }
    }

    /** The merges are checked against the prefix as they pass. */
    private static void requirePlace(JsonParser parser, boolean behind) throws IOException {
        if (behind) {
            throw new JsonParseException(parser, PREFIX + " behind merges");
        }
    }

    /** BPE, WordPiece, WordLevel: token to id. */
    private static void readIds(JsonParser parser, Map<String, Integer> ids) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String token = parser.currentName();
            parser.nextToken();
            ids.putIfAbsent(token, requireId(parser.getIntValue()));
        }
    }

    /** Unigram: a list of [piece, score]; the id is the place in the list. */
    private static void readScoredPieces(JsonParser parser, Map<String, Integer> ids) throws IOException {
        int id = 0;
        while (parser.nextToken() == JsonToken.START_ARRAY) {
            String piece = parser.nextTextValue();
            if (piece == null) {
                throw new BadInputException(
                        "Cannot read a tokenizer: expected a text as piece %d of model.vocab, found none"
                                .formatted(id));
            }

            ids.putIfAbsent(piece, id);
            parser.nextToken();
            parser.nextToken();
            id++;
        }
    }

    private static int requireId(int id) {
        if (id < 0 || id > LARGEST_ID) {
            throw new BadInputException(
                    "Cannot read a tokenizer: expected ids from 0 to %d, found %d".formatted(LARGEST_ID, id));
        }

        return id;
    }
}
