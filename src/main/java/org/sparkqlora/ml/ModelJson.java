package org.sparkqlora.ml;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import org.apache.spark.ml.param.Param;
import org.jspecify.annotations.Nullable;

/** What a {@link QLoraModel} says of itself: uid, adapter, the params that are set, and after a fit its folder and summary. */
final class ModelJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String ADAPTER = "adapter";

    private ModelJson() {}

    static String write(QLoraModel model) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("class", model.getClass().getName()).put("uid", model.uid());
        root.put(ADAPTER, model.adapter().orElse(null));
        ObjectNode params = root.putObject("params");
        for (Param<?> param : model.params()) {
            if (model.isSet(param)) {
                put(params, param, model.getOrDefault(param));
            }
        }

        if (model.hasSummary()) {
            root.put("folder", model.summary().folder());
            root.putRawValue("summary", new RawValue(model.summary().json()));
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
