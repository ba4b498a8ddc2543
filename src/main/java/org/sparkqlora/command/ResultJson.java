package org.sparkqlora.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** The outcome of a command, for schedulers that see neither its exit code nor its output, as those of steps on EMR. */
public final class ResultJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String COMMAND = "command";
    private static final String CODE = "code";
    private static final String MEANING = "meaning";
    private static final String REASONS = "reasons";
    private static final String SUMMARY = "summary";

    /** The beginning of every document. */
    static final String BEGINNING = "{\"%s\":".formatted(COMMAND);

    private ResultJson() {}

    public static String write(String command, CommandOutcome ending) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put(COMMAND, command);
        root.put(CODE, ending.code().code());
        root.put(MEANING, ending.code().name());
        ending.reasons().forEach(root.putArray(REASONS)::add);
        if (!ending.summary().isEmpty()) {
            root.set(SUMMARY, parse("the summary of " + command, ending.summary()));
        }

        return root + "\n";
    }

    /**
     * The mean loss that {@code evaluate} found.
     *
     * @param document what {@code text} is, for messages
     */
    public static double evaluatedLoss(String document, String text) {
        JsonNode root = parse(document, text);
        JsonNode loss = root.path(SUMMARY).path("loss");
        if (root.path(CODE).asInt(-1) != ExitCode.OK.code() || !loss.isNumber()) {
            throw new BadInputException(
                    "Cannot read %s: expected what a whole evaluate wrote, with summary.loss, found %s"
                            .formatted(document, root));
        }

        return loss.asDouble();
    }

    private static JsonNode parse(String document, String text) {
        return TreeJson.read(
                text,
                e -> new BadInputException("Cannot read %s: expected JSON, found %s".formatted(document, text), e));
    }
}
