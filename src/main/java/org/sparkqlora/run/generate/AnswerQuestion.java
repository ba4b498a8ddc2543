package org.sparkqlora.run.generate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The question that a table or a file of answers answers. It is kept with the answers, so that a command that was stopped goes on with the same
 * question and another is refused.
 *
 * @param facts that decide the answers, in the words of the command line
 * @param prompts the table of prompts as it was named, without its version; empty for a file
 * @param version of the table; null where it has none
 * @param rows fingerprint of the prompts
 * @param parts that a table is answered in; 0 for a file
 * @param day that the chat template is told; null where it does not ask
 */
public record AnswerQuestion(
        Map<String, String> facts,
        String prompts,
        @Nullable Long version,
        String rows,
        int parts,
        @Nullable String day) {
    private static final String TABLE = "--prompt-table";

    public AnswerQuestion {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** The differences from {@code before}, as {@code --temperature is 1.0, was 0.0}. */
    public List<String> differences(AnswerQuestion before) {
        List<String> differences = new ArrayList<>();
        Map<String, String> now = told();
        Map<String, String> then = before.told();
        TreeSet<String> keys = new TreeSet<>(now.keySet());
        keys.addAll(then.keySet());
        for (String key : keys) {
            String is = now.getOrDefault(key, "none");
            String was = then.getOrDefault(key, "none");
            if (!is.equals(was)) {
                differences.add("%s is %s, was %s".formatted(key, is, was));
            }
        }

        if (differences.isEmpty() && !rows.equals(before.rows)) {
            differences.add("the prompts changed");
        }

        return differences;
    }

    private Map<String, String> told() {
        Map<String, String> told = new LinkedHashMap<>(facts);
        told.put(TABLE, version == null ? prompts : prompts + " VERSION AS OF " + version);
        return told;
    }
}
