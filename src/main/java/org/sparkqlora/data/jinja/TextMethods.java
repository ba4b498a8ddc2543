package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Methods of Python's strings. */
final class TextMethods {
    private TextMethods() {}

    /** The method called {@code name} of {@code text}, null when there is none. */
    static @Nullable TemplateFunction find(String text, String name) {
        return switch (name) {
            case "strip", "lstrip", "rstrip" -> of(arguments -> strip(text, name, arguments.value(0, "chars", null)));
            case "split" -> of(arguments -> split(text, arguments));
            case "rsplit" -> of(arguments -> splitFromRight(text, arguments));
            case "splitlines" -> of(arguments -> splitLines(text, arguments.isTrue(0, "keepends", false)));
            case "partition" -> of(arguments -> partition(text, arguments.requiredText(0, "sep")));
            case "startswith" -> of(arguments -> anyAffix(arguments.required(0, "prefix"), text::startsWith));
            case "endswith" -> of(arguments -> anyAffix(arguments.required(0, "suffix"), text::endsWith));
            case "removeprefix" -> of(arguments -> withoutPrefix(text, arguments.requiredText(0, "prefix")));
            case "removesuffix" -> of(arguments -> withoutSuffix(text, arguments.requiredText(0, "suffix")));
            case "replace" -> of(arguments -> replace(text, arguments));
            case "upper" -> of(arguments -> text.toUpperCase(Locale.ROOT));
            case "lower" -> of(arguments -> text.toLowerCase(Locale.ROOT));
            case "title" -> of(arguments -> title(text));
            case "capitalize" -> of(arguments -> capitalize(text));
            case "join" -> of(arguments -> join(text, Values.items(arguments.required(0, "iterable"))));
            case "find" -> of(arguments -> codePoints(text, text.indexOf(arguments.requiredText(0, "sub"))));
            case "rfind" -> of(arguments -> codePoints(text, text.lastIndexOf(arguments.requiredText(0, "sub"))));
            case "count" -> of(arguments -> count(text, arguments.requiredText(0, "sub")));
            case "isdigit" -> of(arguments -> all(text, Character::isDigit));
            case "isalpha" -> of(arguments -> all(text, Character::isLetter));
            case "isalnum" -> of(arguments -> all(text, Character::isLetterOrDigit));
            case "isspace" -> of(arguments -> all(text, PythonSpace::is));
            case "isupper" -> of(arguments -> isUpper(text));
            case "islower" -> of(arguments -> isLower(text));
            default -> null;
        };
    }

    private static TemplateFunction of(Method method) {
        return (positional, named) -> method.call(new CallArguments(positional, named));
    }

    static String strip(String text, String method, @Nullable Object chars) {
        IntPredicate stripped = chars instanceof String set ? c -> set.indexOf(c) >= 0 : PythonSpace::is;
        int from = 0;
        int to = text.length();
        while (!method.equals("rstrip") && from < to && stripped.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }

        while (!method.equals("lstrip") && to > from && stripped.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }

        return text.substring(from, to);
    }

    private static List<@Nullable Object> split(String text, CallArguments arguments) {
        long limit = arguments.integer(1, "maxsplit", -1);
        Object separator = arguments.value(0, "sep", null);
        return separator == null
                ? splitAtSpace(text, limit)
                : splitAt(text, nonEmpty(arguments.requiredText(0, "sep")), limit);
    }

    private static List<@Nullable Object> splitAt(String text, String separator, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        int from = 0;
        int next = text.indexOf(separator);
        while (next >= 0 && (limit < 0 || parts.size() < limit)) {
            parts.add(text.substring(from, next));
            from = next + separator.length();
            next = text.indexOf(separator, from);
        }

        parts.add(text.substring(from));
        return parts;
    }

    private static List<@Nullable Object> splitAtSpace(String text, long limit) {
        List<@Nullable Object> parts = new ArrayList<>();
        String rest = strip(text, "lstrip", null);
        while (!rest.isEmpty() && (limit < 0 || parts.size() < limit)) {
            int end = 0;
            while (end < rest.length() && !PythonSpace.is(rest.charAt(end))) {
                end++;
            }

            parts.add(rest.substring(0, end));
            rest = strip(rest.substring(end), "lstrip", null);
        }

        if (!rest.isEmpty()) {
            parts.add(rest);
        }

        return parts;
    }

    private static List<@Nullable Object> splitFromRight(String text, CallArguments arguments) {
        String separator = nonEmpty(arguments.requiredText(0, "sep"));
        long limit = arguments.integer(1, "maxsplit", -1);
        List<@Nullable Object> parts = new ArrayList<>();
        String rest = text;
        int last = rest.lastIndexOf(separator);
        while (last >= 0 && (limit < 0 || parts.size() < limit)) {
            parts.add(0, rest.substring(last + separator.length()));
            rest = rest.substring(0, last);
            last = rest.lastIndexOf(separator);
        }

        parts.add(0, rest);
        return parts;
    }

    private static List<@Nullable Object> splitLines(String text, boolean keepEnds) {
        List<@Nullable Object> lines = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int end = from;
            while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
                end++;
            }

            int next = Math.min(text.length(), text.startsWith("\r\n", end) ? end + 2 : end + 1);
            lines.add(text.substring(from, keepEnds ? next : end));
            from = next;
        }

        return lines;
    }

    private static List<@Nullable Object> partition(String text, String separator) {
        int at = text.indexOf(nonEmpty(separator));
        return at < 0
                ? List.of(text, "", "")
                : List.of(text.substring(0, at), separator, text.substring(at + separator.length()));
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

    private static String withoutPrefix(String text, String prefix) {
        return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    }

    private static String withoutSuffix(String text, String suffix) {
        return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
    }

    static String replace(String text, CallArguments arguments) {
        String old = arguments.requiredText(0, "old");
        String replacement = arguments.requiredText(1, "new");
        long limit = arguments.value(2, "count", null) == null ? -1 : arguments.integer(2, "count", -1);
        if (limit < 0 || old.isEmpty()) {
            return text.replace(old, replacement);
        }

        List<@Nullable Object> parts = splitAt(text, old, limit);
        return join(replacement, parts);
    }

    static String join(String separator, List<@Nullable Object> items) {
        StringBuilder joined = new StringBuilder();
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

    private static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }

        return title.toString();
    }

    private static long codePoints(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static long count(String text, String part) {
        return part.isEmpty()
                ? Values.length(text) + 1
                : splitAt(text, part, -1).size() - 1L;
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
