package org.sparkqlora.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.sparkqlora.input.BadInputException;

/**
 * The normalizer, pre-tokenizer, post-processor and decoder of {@code tokenizer.json}, checked before the native library reads them:
 * it ends the process on settings that it takes for granted.
 */
final class NativeComponentsJson {
    private static final Set<String> NAMES = Set.of("normalizer", "pre_tokenizer", "post_processor", "decoder");

    /** Types and settings of normalizers that take blanks, accents or control characters away. */
    private static final Set<String> REMOVING = Set.of(
            "Strip",
            "StripAccents",
            "Nmt",
            "BertNormalizer",
            "Precompiled",
            "strip_left",
            "clean_text",
            "precompiled_charsmap");

    private static final int LONGEST_PATTERN = 1_000;

    private NativeComponentsJson() {}

    static boolean names(String field) {
        return NAMES.contains(field);
    }

    /** Refuses {@code component}, which stands under {@code name}, if the library cannot use it. */
    static void check(String name, JsonNode component) {
        if (component.isObject()) {
            checkSettings(name, component);
        } else if (component.isNumber()) {
            require(component.asLong() <= TokenizerJson.LARGEST_ID, name, "numbers up to " + TokenizerJson.LARGEST_ID);
        }

        for (JsonNode inner : component) {
            check(name, inner);
        }
    }

    /** The library would search for a token of which its normalizer leaves nothing between all bytes of a text. */
    static void checkAdded(JsonNode tokens, JsonNode normalizer) {
        if (!removes(normalizer)) {
            return;
        }

        for (JsonNode token : tokens) {
            String content = token.path("content").asText();
            boolean left = content.codePoints().anyMatch(NativeComponentsJson::isLeft);
            require(left || !token.path("normalized").asBoolean(), "added_tokens", "text that the normalizer leaves");
        }
    }

    private static boolean removes(JsonNode normalizer) {
        boolean removes = REMOVING.stream().anyMatch(normalizer::has)
                || REMOVING.contains(normalizer.path("type").asText());
        for (JsonNode inner : normalizer) {
            removes |= removes(inner);
        }

        return removes;
    }

    private static boolean isLeft(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.NON_SPACING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.ENCLOSING_MARK -> false;
            default -> !Character.isWhitespace(codePoint) && !Character.isSpaceChar(codePoint);
        };
    }

    /** The library cuts the prefix, which stands before it in the file, off the second part of each merge. */
    static void checkMerges(String prefix, JsonNode merges) {
        for (JsonNode merge : merges) {
            String second =
                    merge.isArray() ? merge.path(1).asText() : merge.asText().replaceFirst("^[^ ]* ", "");
            require(second.startsWith(prefix), "model", "merges with a second part that begins with " + prefix);
        }
    }

    private static void checkSettings(String name, JsonNode settings) {
        require(settings.path("stop").asLong() == 0, name, "a decoder that strips no ends (stop of 0)");
        require(!has(settings, "length", "0"), name, "pieces of a length of at least 1");
        require(!has(settings.path("pattern"), "String", ""), name, "a pattern that is not empty");
        if (settings.has("precompiled_charsmap") || has(settings, "type", "Precompiled")) {
            String map = settings.path("precompiled_charsmap").asText();
            require(PrecompiledCharsmap.isUsable(map), name, "a precompiled_charsmap that is whole");
        }

        JsonNode sequence = settings.path("normalizers");
        for (JsonNode normalizer : sequence) {
            String pattern = normalizer.path("pattern").path("Regex").asText("-");
            require(sequence.size() == 1 || !matchesNothing(pattern), name, "patterns that match some text");
        }

        if (settings.has("single")) {
            checkTemplate(name, settings);
        }
    }

    /** Each special token of a template must be described, and a single text is the first of its sequences. */
    private static void checkTemplate(String name, JsonNode template) {
        Set<String> known = new HashSet<>();
        template.path("special_tokens").fieldNames().forEachRemaining(known::add);

        for (String pieces : Set.of("single", "pair")) {
            for (JsonNode piece : template.path(pieces)) {
                JsonNode special = piece.path("SpecialToken").path("id");
                require(
                        special.isMissingNode() || known.contains(special.asText()),
                        name,
                        "special_tokens to hold " + special);
            }
        }

        for (JsonNode piece : template.path("single")) {
            require(!has(piece.path("Sequence"), "id", "B"), name, "sequence A in the template of a single text");
        }
    }

    /** The library loses its place in a text where a normalizer has put something between two characters, and another follows. */
    private static boolean matchesNothing(String pattern) {
        try {
            return pattern.length() <= LONGEST_PATTERN
                    && Pattern.compile(pattern).matcher("").find();
        } catch (PatternSyntaxException e) {
            return false; // of the library's own syntax
        }
    }

    private static boolean has(JsonNode settings, String key, String value) {
        return settings.has(key) && settings.path(key).asText("-").equals(value);
    }

    private static void require(boolean usable, String name, String expected) {
        if (!usable) {
            throw new BadInputException(
                    "Cannot read the %s of a tokenizer: expected %s, found another".formatted(name, expected));
        }
    }
}
