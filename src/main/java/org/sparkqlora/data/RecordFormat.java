package org.sparkqlora.data;

import java.util.Locale;
import org.sparkqlora.input.OptionName;

/** The format of training records. */
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
        return OptionName.parse(
                values(), RecordFormat::optionValue, optionValue, "Cannot read records as '%s': expected one of %s");
    }

    /** The name on the command line. */
    public String optionValue() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
