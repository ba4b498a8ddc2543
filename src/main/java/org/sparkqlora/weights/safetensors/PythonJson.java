package org.sparkqlora.weights.safetensors;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.sparkqlora.input.PythonLiteral;

/** JSON text as Python's {@code json.dumps(value, indent=2, sort_keys=True)} writes it, so that our files diff cleanly with its. */
public final class PythonJson {
    private static final String INDENT = "  ";

    private PythonJson() {}

    public static String text(JsonNode node) {
        return text(node, "\n");
    }

    private static String text(JsonNode node, String newLine) {
        String inner = newLine + INDENT;
        if (node.isObject()) {
            List<String> keys = new ArrayList<>();
            node.fieldNames().forEachRemaining(keys::add);
            return keys.stream()
                    .sorted()
                    .map(key -> quoted(key) + ": " + text(node.get(key), inner))
                    .collect(block("{", "}", newLine, node.isEmpty()));
        }

        if (node.isArray()) {
            return StreamSupport.stream(node.spliterator(), false)
                    .map(element -> text(element, inner))
                    .collect(block("[", "]", newLine, node.isEmpty()));
        }

        if (node.isTextual()) {
            return quoted(node.textValue());
        }

        return node.isFloatingPointNumber() ? PythonLiteral.number(node.doubleValue()) : node.toString();
    }

    private static Collector<CharSequence, ?, String> block(String open, String close, String newLine, boolean empty) {
        return empty
                ? Collectors.joining("", open, close)
                : Collectors.joining("," + newLine + INDENT, open + newLine + INDENT, newLine + close);
    }

    private static String quoted(String text) {
        return text.chars()
                .mapToObj(c -> PythonLiteral.asciiCharacter((char) c))
                .collect(Collectors.joining("", "\"", "\""));
    }
}
