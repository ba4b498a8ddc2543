package org.sparkqlora.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.safetensors.PythonJson;

/** The files of a published folder. */
final class PublishedJson {
    private PublishedJson() {}

    static String write(List<StoredFile> content) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode files = root.putArray("files");
        for (StoredFile file : content) {
            files.addObject()
                    .put("name", file.name())
                    .put("bytes", file.bytes())
                    .put("sha256", file.sha256());
        }

        return PythonJson.text(root) + "\n";
    }
}
