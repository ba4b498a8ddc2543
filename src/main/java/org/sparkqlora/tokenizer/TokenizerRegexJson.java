package org.sparkqlora.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

/**
 * Finds how long texts may be for the regular expressions of a {@code tokenizer.json}, in the order in which they are applied. The
 * native library ends the process if a search takes more than 10 million steps; expressions that may do so on short texts are refused.
 */
final class TokenizerRegexJson {
    private static final long MOST_STEPS = 9_000_000;
    private static final long MOST_TRIES = 100_000;

    /** More would not leave texts of 35 thousand chars. */
    private static final long MOST_SCANS = 256;

    private static final int LONGEST = 10_000;

    /** For the memory that a text takes. */
    private static final int MOST_GROWTH = 16;

    private static final String REPLACING = "replacements that make a text at most " + MOST_GROWTH + " times as long";
    private static final String DECODER = "decoder";
    private static final String SCANNING =
            "regular expressions that go back over a text at most " + MOST_SCANS + " times";
    private static final String LINEAR = "regular expressions that search in time proportional to the length of a text";

    /** The expression by which {@code ByteLevel} splits. */
    private static final RegexCost BYTE_LEVEL =
            cost("pre_tokenizer", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

    /** Components that make several characters of one, and how many. */
    private static final Map<String, Integer> GROWTH =
            Map.of("NFC", 3, "NFD", 4, "NFKC", 18, "NFKD", 18, "Lowercase", 2, "ByteLevel", 4, "Precompiled", 1_000);

    /** Those that make no run of blanks, or of others, part of a longer one. */
    private static final Set<String> APART = Set.of(
            "NFC",
            "NFD",
            "NFKC",
            "NFKD",
            "Lowercase",
            "Sequence",
            "Split",
            "Digits",
            "Punctuation",
            "Whitespace",
            "WhitespaceSplit",
            "UnicodeScripts",
            "BertPreTokenizer",
            "CharDelimiterSplit",
            "FixedLength",
            "Prepend");

    private TextLimit limit = TextLimit.LARGEST;
    private long growth = 1;
    private long replaced = 1;

    /** Whether what was a run of blanks, or of others, may now be part of a longer one. */
    private boolean mixed;

    private TokenizerRegexJson() {}

    /** The limit for texts; throws for an expression that is refused. */
    static TextLimit limit(JsonNode normalizer, JsonNode preTokenizer, JsonNode decoder) {
        TokenizerRegexJson regexes = new TokenizerRegexJson();
        regexes.add("normalizer", normalizer);
        regexes.add("pre_tokenizer", preTokenizer);
        regexes.add(DECODER, decoder);
        return regexes.limit;
    }

    private void add(String name, JsonNode component) {
        JsonNode regex = component.path("pattern").path("Regex");
        if (regex.isTextual()) {
            add(name, cost(name, regex.textValue()));
        }

        for (JsonNode inner : component) {
            add(name, inner);
        }

        String type = component.path("type").asText();
        if (type.equals("ByteLevel")
                && name.equals("pre_tokenizer")
                && component.path("use_regex").asBoolean(true)) {
            add(name, BYTE_LEVEL);
        }

        if (component.isObject() && !component.has("Regex") && !component.has("String")) {
            change(name, component, type);
        }
    }

    private void add(String name, RegexCost cost) {
        if (cost.scans() == 0) {
            return;
        }

        require(!name.equals(DECODER), name, "regular expressions that do not go back", "one that does");
        long scans = cost.scans() * growth;
        require(scans <= MOST_SCANS, name, SCANNING, scans + " times");
        int most = (int) (MOST_STEPS / scans);
        boolean whole = mixed || cost.mixed();
        limit = limit.and(new TextLimit(most, whole ? most : limit.text()));
    }

    /** Counts the growth of a text by {@code component}. */
    private void change(String name, JsonNode component, String type) {
        if (component.has("content") && component.has("pattern")) {
            int content = component.path("content").asText().length();
            int pattern = component.path("pattern").path("String").asText().length();
            long times = pattern == 0 ? content + 1L : Math.max(1, (content + pattern - 1) / pattern);
            replaced *= times;
            growth *= times;
            require(replaced <= MOST_GROWTH, name, REPLACING, "up to " + replaced + " times");
        }

        growth = Math.min(growth * GROWTH.getOrDefault(type, 1), MOST_SCANS + 1);
        mixed |= !APART.contains(type);
    }

    private static RegexCost cost(String name, String expression) {
        int length = expression.length();
        require(length <= LONGEST, name, "regular expressions of at most " + LONGEST + " chars", "" + length);
        try {
            RegexCost cost = RegexParser.cost(expression);
            require(cost.tries() <= MOST_TRIES, name, LINEAR, cost.tries() + " ways in " + expression);
            return cost;
        } catch (RegexException e) {
            String remedy = "Repeat without going back, as \\s++ does, or ask who made the model";
            throw refusal(name, LINEAR, e.getMessage() + " in " + expression + ". " + remedy);
        }
    }

    private static void require(boolean usable, String name, String expected, String found) {
        if (!usable) {
            throw refusal(name, expected, found);
        }
    }

    private static BadInputException refusal(String name, String expected, String found) {
        return new BadInputException(
                "Cannot read the %s of a tokenizer: expected %s, found %s".formatted(name, expected, found));
    }
}
