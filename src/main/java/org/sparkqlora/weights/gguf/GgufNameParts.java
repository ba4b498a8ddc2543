package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Cuts a model's name at its hyphens and tells what each part is ({@code get_model_id_components} of llama.cpp's Python package). */
final class GgufNameParts {
    private static final Pattern VERSION = Pattern.compile("(v|iter)?\\d+([.]\\d+)*", Pattern.CASE_INSENSITIVE);
    private static final Pattern ENCODING = Pattern.compile("i?q\\d(_\\w)*|b?fp?(16|32)", Pattern.CASE_INSENSITIVE);
    private static final Pattern SIZE = Pattern.compile(
            "(([A]|\\d+[x])?\\d+([._]\\d+)?[KMBT][\\d]?|small|mini|medium|large|x?xl)", Pattern.CASE_INSENSITIVE);
    private static final Pattern FINE_TUNE = Pattern.compile("chat|instruct|vision|lora", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "KMBT";

    private enum Kind {
        BASE,
        SIZE,
        FINE_TUNE,
        VERSION,
        ENCODING
    }

    private final GgufIdentity.ParameterTotal total;
    private final List<String> parts;
    private final List<Set<Kind>> kinds = new ArrayList<>();

    private GgufNameParts(String name, GgufIdentity.ParameterTotal total) {
        this.total = total;
        this.parts = new ArrayList<>(List.of(name.split("-", -1)));
        this.parts.removeIf(String::isEmpty);
        for (int i = 0; i < parts.size(); i++) {
            kinds.add(EnumSet.noneOf(Kind.class));
            mark(i);
        }

        dropWordSizes();
        markBase();
    }

    static GgufNameParts of(String name, GgufIdentity.ParameterTotal total) {
        return new GgufNameParts(name, total);
    }

    /** Without its last part, if that is an encoding. */
    static String withoutEncoding(String name) {
        int last = name.lastIndexOf('-');
        return last > 0 && ENCODING.matcher(name.substring(last + 1)).matches() ? name.substring(0, last) : name;
    }

    /** Nothing where a name is all base: that is too ambiguous. */
    Optional<String> base() {
        return size().isEmpty() && fineTune().isEmpty() && version().isEmpty() ? Optional.empty() : joined(Kind.BASE);
    }

    Optional<String> size() {
        return text(IntStream.range(0, parts.size())
                .filter(i -> kinds.get(i).contains(Kind.SIZE))
                .mapToObj(parts::get)
                .distinct());
    }

    Optional<String> fineTune() {
        return joined(Kind.FINE_TUNE);
    }

    Optional<String> version() {
        return text(IntStream.range(0, parts.size())
                .filter(i ->
                        kinds.get(i).contains(Kind.VERSION) && !kinds.get(i).contains(Kind.BASE))
                .mapToObj(parts::get));
    }

    private Optional<String> joined(Kind kind) {
        return text(IntStream.range(0, parts.size())
                .filter(i -> kinds.get(i).contains(kind))
                .mapToObj(parts::get));
    }

    private static Optional<String> text(Stream<String> texts) {
        return Optional.of(texts.collect(Collectors.joining("-"))).filter(text -> !text.isEmpty());
    }

    private void mark(int i) {
        String part = parts.get(i);
        if (VERSION.matcher(part).matches()) {
            kinds.get(i).add(Kind.VERSION);
        } else if (ENCODING.matcher(part).matches()) {
            kinds.get(i).add(Kind.ENCODING);
            parts.set(i, part.toUpperCase(Locale.ROOT));
        } else if (i > 0 && SIZE.matcher(part).matches()) {
            markSize(i, unified(part));
        } else if (i > 0 && FINE_TUNE.matcher(part).matches()) {
            boolean redundant = total.ofAdapter() && part.equalsIgnoreCase("lora");
            kinds.get(i).add(redundant ? Kind.ENCODING : Kind.FINE_TUNE);
        }
    }

    /** A size with a point and a capital unit: 7b1 is 7.1B. */
    private static String unified(String part) {
        String text = part.replace('_', '.');
        int last = text.length() - 1;
        if (Character.isDigit(text.charAt(last))) {
            text = text.substring(0, last - 1) + "." + text.charAt(last) + text.charAt(last - 1);
        }

        boolean counted = text.length() > 1 && Character.isDigit(text.charAt(last - 1));
        return counted
                ? text.substring(0, text.length() - 1)
                        + text.substring(text.length() - 1).toUpperCase(Locale.ROOT)
                : text;
    }

    private void markSize(int i, String size) {
        boolean context = total.count() != 0 && isFarFrom(size);
        kinds.get(i).add(context ? Kind.FINE_TUNE : Kind.SIZE);
        int last = size.length() - 1;
        parts.set(i, context ? size.substring(0, last) + size.substring(last).toLowerCase(Locale.ROOT) : size);
    }

    /** Whether it is likelier the length of a context. An adapter does not touch all weights, so its model may be larger. */
    private boolean isFarFrom(String size) {
        int last = size.length() - 1;
        try {
            double named =
                    Double.parseDouble(size.substring(0, last)) * Math.pow(1000, UNITS.indexOf(size.charAt(last)) + 1);
            return total.ofAdapter()
                    ? named < total.count() / 8
                    : Math.abs(named - total.count()) > 7 * total.count() / 8;
        } catch (NumberFormatException e) {
            return false; // a word, or experts times their size
        }
    }

    /** Words are no sizes where a number is one. */
    private void dropWordSizes() {
        boolean numbered = IntStream.range(0, parts.size())
                .anyMatch(i ->
                        kinds.get(i).contains(Kind.SIZE) && parts.get(i).chars().anyMatch(Character::isDigit));
        for (int i = 0; numbered && i < parts.size(); i++) {
            if (parts.get(i).chars().allMatch(Character::isLetter)) {
                kinds.get(i).remove(Kind.SIZE);
            }
        }
    }

    private void markBase() {
        boolean start = true;
        for (int i = 0; i < parts.size(); i++) {
            Set<Kind> kind = kinds.get(i);
            boolean first = kind.isEmpty() && Character.isLetter(parts.get(i).charAt(0));
            if (start && (first || kind.contains(Kind.VERSION))) {
                kind.add(Kind.BASE);
            } else {
                start = false;
                if (kind.isEmpty()) {
                    kind.add(Kind.FINE_TUNE);
                }
            }
        }

        List<Set<Kind>> backwards = new ArrayList<>(kinds);
        Collections.reverse(backwards);
        for (Set<Kind> kind : backwards) {
            if (!kind.contains(Kind.BASE) || kind.size() == 1) {
                return;
            }

            kind.remove(Kind.BASE);
        }
    }
}
