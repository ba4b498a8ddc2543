package org.sparkqlora.data;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.input.BadInputException;

/** How the fields of a training record are read. */
public enum RecordFormat {
    /** Chosen for each record by the fields that it has. */
    AUTO,
    /** {@code {"messages": [{"role": ..., "content": ...}, ...]}}. */
    MESSAGES,
    /** {@code {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]}}. */
    SHAREGPT,
    /** {@code {"instruction": ..., "input": ..., "output": ...}}. */
    ALPACA,
    /** {@code {"prompt": ..., "completion": ...}}, as texts or as lists of messages. */
    PROMPT_COMPLETION,
    /** {@code {"text": ...}}. */
    TEXT,
    /** {@code {"input_ids": [...], "labels": [...]}}. */
    TOKENS;

    /** The format called {@code optionValue} on the command line. */
    public static RecordFormat parse(String optionValue) {
        return Arrays.stream(values())
                .filter(format -> format.optionValue().equals(optionValue))
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        "Cannot read records as '%s': expected one of %s".formatted(optionValue, optionValues())));
    }

    /** The name on the command line. */
    public String optionValue() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String optionValues() {
        List<String> names =
                Arrays.stream(values()).map(RecordFormat::optionValue).toList();
        return String.join(", ", names);
    }
}
