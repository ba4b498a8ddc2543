package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.family.TextConfigJson;
import org.sparkqlora.weights.safetensors.FieldsJson;
import org.sparkqlora.weights.safetensors.PythonJson;

/**
 * The {@code config.json} of a model with a head that scores texts, as transformers' {@code AutoModelForSequenceClassification} takes it: the
 * base's with the names of the labels.
 */
public final class ScoreConfigJson {
    /** Its name in a folder. */
    private static final String ARCHITECTURES = "architectures";

    private static final String NAMES = "id2label";
    private static final String INDICES = "label2id";
    private static final String PROBLEM_TYPE = "problem_type";
    private static final String PAD = "pad_token_id";
    private static final String EOS = "eos_token_id";

    private ScoreConfigJson() {}

    /**
     * The text of the file.
     *
     * @param base text of the base's config
     * @param labels empty for rewards, which have no problem type
     */
    public static String write(String base, Optional<Labels> labels) {
        ObjectNode root = TextConfigJson.of(FieldsJson.parse(ModelConfigJson.FILE_NAME, base))
                .node()
                .deepCopy();
        String model = root.path(ARCHITECTURES).path(0).asText();
        root.putArray(ARCHITECTURES).add(model.replace("ForCausalLM", "ForSequenceClassification"));
        List<String> names = labels.map(Labels::names).orElse(List.of(Labels.NUMBER));
        ObjectNode byIndex = root.putObject(NAMES);
        ObjectNode byName = root.putObject(INDICES);
        for (int i = 0; i < names.size(); i++) {
            byIndex.put(String.valueOf(i), names.get(i));
            byName.put(names.get(i), i);
        }

        labels.ifPresent(given -> root.put(PROBLEM_TYPE, given.problem().optionName()));
        if (!root.hasNonNull(PAD)) {
            JsonNode eos = root.path(EOS);
            root.set(PAD, eos.isArray() ? eos.get(0) : eos);
        }

        return PythonJson.text(root) + "\n";
    }

    /** The labels in {@code text}, the content of {@code document}; empty for rewards. */
    public static Optional<Labels> read(String document, String text) {
        FieldsJson fields = FieldsJson.parse(document, text);
        if (!fields.has(PROBLEM_TYPE)) {
            return Optional.empty();
        }

        JsonNode byIndex = fields.node().path(NAMES);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < byIndex.size(); i++) {
            names.add(byIndex.path(String.valueOf(i)).asText());
        }

        return Optional.of(new Labels(ProblemType.parse(fields.text(PROBLEM_TYPE)), names));
    }
}
