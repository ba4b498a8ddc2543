package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Methods of Python's strings. */
final class TextMethods {
    private TextMethods() {}

    /** The method called {@code name} of {@code text}, null when there is none. */
    static @Nullable TemplateFunction find(String text, String name, Budget budget) {
        Method method = find(text, name);
        if (method == null) {
            return null;
        }

        return (positional, named) -> {
            budget.look(text);
            return method.call(new CallArguments(positional, named, budget));
        };
    }

    private static @Nullable Method find(String text, String name) {
        return switch (name) {
            case "strip", "lstrip", "rstrip" -> arguments -> strip(text, name, arguments);
            case "split" -> arguments -> split(text, arguments);
            case "rsplit" -> arguments -> splitFromRight(text, arguments);
            case "splitlines" -> arguments -> splitLines(text, arguments);
            case "partition" -> arguments -> partition(text, arguments);
            case "startswith" ->
                arguments -> anyAffix(
                        arguments.required(0, "prefix"),
                        Part.of(text, arguments).text()::startsWith);
            case "endswith" ->
                arguments -> anyAffix(
                        arguments.required(0, "suffix"),
                        Part.of(text, arguments).text()::endsWith);
            case "removeprefix" -> arguments -> withoutPrefix(text, arguments);
            case "removesuffix" -> arguments -> withoutSuffix(text, arguments);
            case "replace" -> arguments -> replace(text, arguments);
            case "upper" -> arguments -> arguments.budget().made(text.toUpperCase(Locale.ROOT));
            case "lower" -> arguments -> arguments.budget().made(text.toLowerCase(Locale.ROOT));
            case "title" -> arguments -> title(text, arguments.budget());
            case "capitalize" -> arguments -> arguments.budget().made(capitalize(text));
            case "join" -> arguments -> joinAll(text, arguments);
            case "find" -> arguments -> find(Part.of(text, arguments), arguments);
            case "rfind" -> arguments -> findFromRight(Part.of(text, arguments), arguments);
            case "count" -> arguments -> count(Part.of(text, arguments).text(), arguments);
            case "isdigit" -> arguments -> all(text, Character::isDigit);
            case "isalpha" -> arguments -> all(text, Character::isLetter);
            case "isalnum" -> arguments -> all(text, Character::isLetterOrDigit);
            case "isspace" -> arguments -> all(text, TextMethods::isSpace);
            case "isupper" -> arguments -> isUpper(text);
            case "islower" -> arguments -> isLower(text);
            default -> null;
        };
    }

    /** White space as Python's strings see it. */
    static boolean isSpace(int codePoint) {
        return switch (codePoint) {
            case 0x1c, 0x1d, 0x1e, 0x1f, 0x85, 0xa0, 0x2007, 0x202f -> true;
            default -> Character.isWhitespace(codePoint);
        };
    }

    /**
     * The part of a text that a method looks into.
     *
     * @param from its place in the text
     */
    private record Part(String text, long from) {
        /** From the second argument up to the third, which count as in a slice. */
        static Part of(String whole, CallArguments arguments) {
            Object start = arguments.value(1, "start", null);
            Object end = arguments.value(2, "end", null);
            if (start == null && end == null) {
                return new Part(whole, 0);
            }

            String part = (String) Fields.slice(whole, start, end, null, arguments.budget());
            long from = start == null ? 0 : arguments.integer(1, "start", 0);
            return new Part(part, from < 0 ? Math.max(0, from + Values.length(whole)) : from);
        }

        long place(int index) {
            return index < 0 ? -1 : from + text.codePointCount(0, index);
        }
    }

    private static long find(Part part, CallArguments arguments) {
        return part.place(search(part.text(), arguments).next(0));
    }

    private static long findFromRight(Part part, CallArguments arguments) {
        return part.place(search(part.text(), arguments).previous(part.text().length()));
    }

    private static TextSearch search(String text, CallArguments arguments) {
        return new TextSearch(text, arguments.requiredText(0, "sub"), arguments.budget());
    }

    static String strip(String text, String method, CallArguments arguments) {
        Budget budget = arguments.budget();
        Object chars = arguments.value(0, "chars", null);
        IntPredicate stripped = TextMethods::isSpace;
        if (chars instanceof String set) {
            stripped = c -> {
                budget.look(set);
                return set.indexOf(c) >= 0;
            };
        }

        int from = method.equals("rstrip") ? 0 : leading(text, 0, stripped);
        int to = method.equals("lstrip") ? text.length() : trailing(text, from, stripped);
        return from == 0 && to == text.length() ? text : budget.made(text.substring(from, to));
    }

    /** The first place from {@code from} on that is not stripped. */
    private static int leading(String text, int from, IntPredicate stripped) {
        int at = from;
        while (at < text.length() && stripped.test(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }

        return at;
    }

    private static int trailing(String text, int from, IntPredicate stripped) {
        int to = text.length();
        while (to > from && stripped.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }

        return to;
    }

    private static List<@Nullable Object> split(String text, CallArguments arguments) {
        long limit = arguments.integer(1, "maxsplit", -1);
        Object separator = arguments.value(0, "sep", null);
        return separator == null
                ? splitAtSpace(text, limit, arguments.budget())
                : splitAt(text, nonEmpty(arguments.requiredText(0, "sep")), limit, arguments.budget());
    }

    private static List<@Nullable Object> splitAt(String text, String separator, long limit, Budget budget) {
        List<@Nullable Object> parts = new ArrayList<>();
        TextSearch search = new TextSearch(text, separator, budget);
        int from = 0;
        int next = search.next(0);
        while (next >= 0 && (limit < 0 || parts.size() < limit)) {
            parts.add(part(text, from, next, budget));
            from = next + separator.length();
            next = search.next(from);
        }

        parts.add(part(text, from, text.length(), budget));
        return parts;
    }

    private static String part(String text, int from, int to, Budget budget) {
        budget.items(1);
        return budget.made(text.substring(from, to));
    }

    private static List<@Nullable Object> splitAtSpace(String text, long limit, Budget budget) {
        List<@Nullable Object> parts = new ArrayList<>();
        int from = leading(text, 0, TextMethods::isSpace);
        while (from < text.length() && (limit < 0 || parts.size() < limit)) {
            int to = leading(text, from, c -> !isSpace(c));
            parts.add(part(text, from, to, budget));
            from = leading(text, to, TextMethods::isSpace);
        }

        if (from < text.length()) {
            parts.add(part(text, from, text.length(), budget));
        }

        return parts;
    }

    private static List<@Nullable Object> splitFromRight(String text, CallArguments arguments) {
        String separator = nonEmpty(arguments.requiredText(0, "sep"));
        long limit = arguments.integer(1, "maxsplit", -1);
        Budget budget = arguments.budget();
        List<@Nullable Object> parts = new ArrayList<>();
        TextSearch search = new TextSearch(text, separator, budget);
        int to = text.length();
        int last = search.previous(to);
        while (last >= 0 && (limit < 0 || parts.size() < limit)) {
            parts.add(part(text, last + separator.length(), to, budget));
            to = last;
            last = search.previous(to);
        }

        parts.add(part(text, 0, to, budget));
        Collections.reverse(parts);
        return parts;
    }

    private static List<@Nullable Object> splitLines(String text, CallArguments arguments) {
        boolean keepEnds = arguments.isTrue(0, "keepends", false);
        List<@Nullable Object> lines = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int end = leading(text, from, c -> c != '\n' && c != '\r');
            int next = Math.min(text.length(), text.startsWith("\r\n", end) ? end + 2 : end + 1);
            lines.add(part(text, from, keepEnds ? next : end, arguments.budget()));
            from = next;
        }

        return lines;
    }

    private static List<@Nullable Object> partition(String text, CallArguments arguments) {
        String separator = nonEmpty(arguments.requiredText(0, "sep"));
        Budget budget = arguments.budget();
        int at = new TextSearch(text, separator, budget).next(0);
        return at < 0
                ? List.of(text, "", "")
                : List.of(
                        part(text, 0, at, budget),
                        separator,
                        part(text, at + separator.length(), text.length(), budget));
    }

    private static String nonEmpty(String separator) {
        if (separator.isEmpty()) {
            throw new EvaluationException("cannot split at an empty separator");
        }

        return separator;
    }

    /** Python takes one prefix or several. */
    private static boolean anyAffix(@Nullable Object affix, Predicate<String> matches) {
        if (affix instanceof String text) {
            return matches.test(text);
        }

        return affix instanceof List<?> several
                && several.stream().anyMatch(one -> one instanceof String text && matches.test(text));
    }

    private static String withoutPrefix(String text, CallArguments arguments) {
        String prefix = arguments.requiredText(0, "prefix");
        return text.startsWith(prefix) ? arguments.budget().made(text.substring(prefix.length())) : text;
    }

    private static String withoutSuffix(String text, CallArguments arguments) {
        String suffix = arguments.requiredText(0, "suffix");
        return text.endsWith(suffix)
                ? arguments.budget().made(text.substring(0, text.length() - suffix.length()))
                : text;
    }

    static String replace(String text, CallArguments arguments) {
        String old = arguments.requiredText(0, "old");
        String replacement = arguments.requiredText(1, "new");
        Budget budget = arguments.budget();
        long limit = arguments.value(2, "count", null) == null ? -1 : arguments.integer(2, "count", -1);
        long times = limit < 0 ? Long.MAX_VALUE : limit;
        return old.isEmpty()
                ? between(text, replacement, times, budget)
                : replace(new TextSearch(text, old, budget), replacement, times);
    }

    private static String replace(TextSearch search, String replacement, long limit) {
        String text = search.text();
        GrowingText replaced = new GrowingText(search.budget());
        int from = 0;
        int next = search.next(0);
        for (long times = 0; next >= 0 && times < limit; times++) {
            replaced.append(text.substring(from, next)).append(replacement);
            from = next + search.part().length();
            next = search.next(from);
        }

        return from == 0 ? text : replaced.append(text.substring(from)).toString();
    }

    /** The text with {@code inserted} before each character and at the end, at most {@code limit} times. */
    private static String between(String text, String inserted, long limit, Budget budget) {
        GrowingText whole = new GrowingText(budget);
        long left = limit;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            whole.append(left > 0 ? inserted : "").appendCodePoint(text.codePointAt(at));
            left--;
        }

        return whole.append(left > 0 ? inserted : "").toString();
    }

    private static String joinAll(String separator, CallArguments arguments) {
        Budget budget = arguments.budget();
        return join(separator, Values.items(arguments.required(0, "iterable"), budget), budget);
    }

    static String join(String separator, List<@Nullable Object> items, Budget budget) {
        GrowingText joined = new GrowingText(budget);
        String between = "";
        for (Object item : items) {
            if (!(item instanceof String text)) {
                throw new EvaluationException("cannot join a %s to a string".formatted(Values.kind(item)));
            }

            joined.append(between).append(text);
            between = separator;
        }

        return joined.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }

        int first = Character.charCount(text.codePointAt(0));
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String title(String text, Budget budget) {
        GrowingText title = new GrowingText(budget);
        boolean inWord = false;
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int c = text.codePointAt(at);
            title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }

        return title.toString();
    }

    private static long count(String text, CallArguments arguments) {
        TextSearch search = search(text, arguments);
        int length = search.part().length();
        if (length == 0) {
            return Values.length(text) + 1;
        }

        long count = 0;
        for (int at = search.next(0); at >= 0; at = search.next(at + length)) {
            count++;
        }

        return count;
    }

    private static boolean all(String text, IntPredicate condition) {
        return !text.isEmpty() && text.codePoints().allMatch(condition);
    }

    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(Character::isLowerCase);
    }

    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(Character::isUpperCase);
    }

    private interface Method {
        @Nullable
        Object call(CallArguments arguments);
    }
}
