package org.sparkqlora.data;

import org.sparkqlora.input.OptionChoice;

/** The format of training records. */
public enum RecordFormat implements OptionChoice {
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

    /** The format called {@code name} on the command line. */
    public static RecordFormat parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot read records as '%s': expected one of %s");
    }

    @Override
    public String optionName() {
        return OptionChoice.super.optionName().replace('_', '-');
    }
}
