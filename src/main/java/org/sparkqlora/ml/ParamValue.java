package org.sparkqlora.ml;

import java.util.Collection;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.Setting;
import org.sparkqlora.options.Settings;

/** The values of settings as params hold them. */
final class ParamValue {
    private ParamValue() {}

    private static Class<?> type(Setting.Kind kind) {
        return switch (kind) {
            case INTEGER -> Integer.class;
            case LONG -> Long.class;
            case DOUBLE -> Double.class;
            case FLAG -> Boolean.class;
            case TEXT -> String.class;
            case LIST -> String[].class;
        };
    }

    /** {@code value} as the param of {@code setting} holds it. */
    static Object of(Setting setting, Object value) {
        try {
            return switch (setting.kind()) {
                case INTEGER -> Integer.valueOf(whole(value));
                case LONG -> Long.valueOf(whole(value));
                case DOUBLE -> Double.valueOf(String.valueOf(value));
                case FLAG -> Boolean.valueOf(String.valueOf(value));
                case TEXT -> String.valueOf(value);
                case LIST -> list(value);
            };
        } catch (NumberFormatException e) {
            throw new BadInputException(
                    "%s: expected %s, found %s"
                            .formatted(setting.name(), type(setting.kind()).getSimpleName(), value),
                    e);
        }
    }

    /** Throws if {@code value} is not of the kind of {@code setting}, or if the command refuses it. */
    static void requireValid(Settings command, Setting setting, Object value) {
        Class<?> expected = type(setting.kind());
        if (!expected.isInstance(value)) {
            throw new BadInputException("%s: expected %s, found %s (%s)"
                    .formatted(
                            setting.name(),
                            expected.getSimpleName(),
                            value,
                            value.getClass().getSimpleName()));
        }

        if (!String.valueOf(value).equals(setting.initial())) {
            command.problem(setting, value).ifPresent(problem -> {
                throw new BadInputException(problem.replace(setting.option(), setting.name()));
            });
        }
    }

    /** Other languages have one type of number. */
    private static String whole(Object value) {
        return value instanceof Double number && number == Math.rint(number)
                ? Long.toString(number.longValue())
                : String.valueOf(value);
    }

    /** Several texts, given as such or as one with commas between. */
    static String[] list(Object value) {
        if (value instanceof String[] values) {
            return values.clone();
        }

        return value instanceof Collection<?> values
                ? values.stream().map(String::valueOf).toArray(String[]::new)
                : String.valueOf(value).split(",", -1);
    }
}
