package org.sparkqlora.options;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/** A number of parameters as people write it: 13B, 1.1B, 135M. */
public record ParameterCount(double value) {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)([BM])", Pattern.CASE_INSENSITIVE);

    public static ParameterCount parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new BadInputException(
                    "Cannot read a number of parameters from '%s': expected one such as 13B or 1.1B".formatted(text));
        }

        double unit = matcher.group(2).equalsIgnoreCase("B") ? 1e9 : 1e6;
        return new ParameterCount(Double.parseDouble(matcher.group(1)) * unit);
    }
}
