package org.sparkqlora.checkpoint.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/**
 * A hub's listing of a model at a revision: {@code GET /api/models/NAME/revision/REVISION?blobs=true}.
 *
 * @param commit that the revision stands for
 * @param files of the model
 */
record HubListingJson(String commit, List<HubFile> files) {
    HubListingJson {
        files = List.copyOf(files);
    }

    static HubListingJson read(String text, HubId id) {
        JsonNode root = TreeJson.read(
                text,
                e -> new BadInputException(
                        "Cannot open model %s: expected JSON from the hub, found something else. Is HF_ENDPOINT right?"
                                .formatted(id),
                        e));

        List<HubFile> files = new ArrayList<>();
        for (JsonNode file : root.path("siblings")) {
            files.add(file(file));
        }

        if (!root.path("sha").isTextual()) {
            throw new BadInputException(
                    "Cannot open model %s: expected a commit from the hub, found none. Is HF_ENDPOINT right?"
                            .formatted(id));
        }

        return new HubListingJson(root.path("sha").asText(), files);
    }

    private static HubFile file(JsonNode node) {
        JsonNode large = node.path("lfs");
        HubFile.Checksum checksum = large.isObject()
                ? new HubFile.Sha256Sum(large.path("sha256").asText())
                : new HubFile.GitSum(node.path("blobId").asText());
        long size = large.isObject()
                ? large.path("size").asLong()
                : node.path("size").asLong();
        return new HubFile(node.path("rfilename").asText(), size, checksum);
    }
}
