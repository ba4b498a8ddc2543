package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.optim.Trigger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/**
 * Triggers in BigDL's own words: {@code everyEpoch}, {@code severalIteration(N)}, {@code maxEpoch(N)}, {@code maxIteration(N)},
 * {@code minLoss(X)}, and {@code and(...)}, {@code or(...)} of any of them.
 */
final class TriggerText {
    private static final Pattern WORD = Pattern.compile("\\s*([A-Za-z]+|[0-9.eE+-]+|[(),])\\s*");

    private final String text;
    private final Matcher words;
    private final List<AskedTrigger> parts = new ArrayList<>();

    private TriggerText(String text) {
        this.text = text;
        this.words = WORD.matcher(text);
    }

    static BigDlTrigger parse(String text) {
        TriggerText parser = new TriggerText(text);
        Trigger whole = parser.trigger();
        if (parser.words.regionStart() != text.length()) {
            throw parser.unknown();
        }

        return new BigDlTrigger(whole, parser.parts);
    }

    private Trigger trigger() {
        return switch (word()) {
            case "everyEpoch" -> part(Trigger.everyEpoch());
            case "severalIteration" -> part(Trigger.severalIteration(number(TriggerText::count)));
            case "maxEpoch" -> part(Trigger.maxEpoch(number(TriggerText::count)));
            // BigDL counts the iteration that comes next.
            case "maxIteration" -> part(Trigger.maxIteration(number(TriggerText::count) - 1));
            case "minLoss" -> part(Trigger.minLoss(number(Float::parseFloat)));
            case "and" -> combined(Trigger::and);
            case "or" -> combined(Trigger::or);
            default -> throw unknown();
        };
    }

    private Trigger part(Trigger trigger) {
        AskedTrigger asked = new AskedTrigger(trigger);
        parts.add(asked);
        return asked;
    }

    private Trigger combined(BiFunction<Trigger, Seq<Trigger>, Trigger> combine) {
        expect("(");
        Trigger first = trigger();
        List<Trigger> others = new ArrayList<>();
        String next = word();
        while (next.equals(",")) {
            others.add(trigger());
            next = word();
        }

        if (!next.equals(")")) {
            throw unknown();
        }

        return combine.apply(first, JavaConverters.asScalaBuffer(others).toSeq());
    }

    private <N extends Number> N number(Function<String, N> parse) {
        expect("(");
        try {
            N value = parse.apply(word());
            expect(")");
            return value;
        } catch (NumberFormatException e) {
            throw unknown();
        }
    }

    private static int count(String word) {
        int count = Integer.parseInt(word);
        if (count < 1) {
            throw new NumberFormatException(word);
        }

        return count;
    }

    private void expect(String word) {
        if (!word().equals(word)) {
            throw unknown();
        }
    }

    private String word() {
        if (!words.lookingAt()) {
            throw unknown();
        }

        String word = words.group(1);
        words.region(words.end(), text.length());
        return word;
    }

    private IllegalArgumentException unknown() {
        return new BadInputException(
                "Cannot read trigger '%s': expected everyEpoch, severalIteration(N), maxEpoch(N), maxIteration(N), minLoss(X), and(TRIGGER, ...) or or(TRIGGER, ...), with whole numbers N of at least 1"
                        .formatted(text));
    }
}
