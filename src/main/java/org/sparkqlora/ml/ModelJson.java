package org.sparkqlora.ml;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.Params;
import org.jspecify.annotations.Nullable;

/** A model's metadata: uid, adapter, the params that are set, and after a fit its folder and summary. */
final class ModelJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String ADAPTER = "adapter";

    private ModelJson() {}

    /**
     * @param adapter its folder; null where the model is whole without one
     * @param summary of its fit; null where another session fitted it
     */
    static String write(Params model, @Nullable String adapter, @Nullable QLoraTrainingSummary summary) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("class", model.getClass().getName()).put("uid", model.uid());
        root.put(ADAPTER, adapter);
        ObjectNode params = root.putObject("params");
        for (Param<?> param : model.params()) {
            if (model.isSet(param)) {
                put(params, param, model.getOrDefault(param));
            }
        }

        if (summary != null) {
            root.put("folder", summary.folder());
            root.putRawValue("summary", new RawValue(summary.json()));
        }

        return root.toString();
    }

    /** The adapter's folder; null where the model is whole without one. */
    static @Nullable String adapter(String json) throws JsonProcessingException {
        return MAPPER.readTree(json).path(ADAPTER).textValue();
    }

    @SuppressWarnings("unchecked")
    private static <T> void put(ObjectNode node, Param<T> param, Object value) {
        node.putRawValue(param.name(), new RawValue(param.jsonEncode((T) value)));
    }
}
