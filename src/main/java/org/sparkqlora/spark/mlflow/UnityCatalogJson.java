package org.sparkqlora.spark.mlflow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** Requests and answers of Unity Catalog's models as JSON. */
final class UnityCatalogJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String VERSION = "version";

    private UnityCatalogJson() {}

    /**
     * A version of a model that is being written.
     *
     * @param storage address of the folder for its files
     */
    record Version(long number, String storage) {}

    /** Keys of AWS for a while. */
    record Credentials(String key, String secret, String session) {
        /** As Hadoop's S3A takes them. */
        Map<String, String> s3() {
            return Map.of(
                    "fs.s3a.access.key", key,
                    "fs.s3a.secret.key", secret,
                    "fs.s3a.session.token", session,
                    "fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider");
        }

        @Override
        public String toString() {
            return "keys that are lent";
        }
    }

    static String model(RegisteredName model) {
        return named(model, "name").put("comment", "").toString();
    }

    static String newVersion(RegisteredName model, String source, String run) {
        return named(model, "model_name")
                .put("source", source)
                .put("run_id", run)
                .toString();
    }

    static String write(RegisteredName model, long version) {
        return named(model, "model_name")
                .put(VERSION, version)
                .put("operation", "READ_WRITE_MODEL_VERSION")
                .toString();
    }

    static String finalized(RegisteredName model, long version) {
        return MAPPER.createObjectNode()
                .put("full_name", model.name())
                .put(VERSION, version)
                .toString();
    }

    static String alias(RegisteredName model, String alias, long version) {
        return MAPPER.createObjectNode()
                .put("full_name", model.name())
                .put("alias", alias)
                .put("version_num", version)
                .toString();
    }

    private static ObjectNode named(RegisteredName model, String key) {
        String[] parts = model.name().split("\\.", -1);
        return MAPPER.createObjectNode()
                .put(key, parts[2])
                .put("catalog_name", parts[0])
                .put("schema_name", parts[1]);
    }

    static Version version(String answer) {
        JsonNode root = root(answer);
        long number = root.path(VERSION).asLong();
        String storage = root.path("storage_location").asText();
        if (number < 1 || !storage.contains(":")) {
            throw unknown("version and storage_location", answer);
        }

        return new Version(number, storage);
    }

    static Credentials credentials(String answer) {
        JsonNode keys = root(answer).path("aws_temp_credentials");
        if (!keys.isObject()) {
            throw new BadInputException(
                    "Cannot register a model: expected Unity Catalog to lend keys of S3 (aws_temp_credentials), found others");
        }

        return new Credentials(
                keys.path("access_key_id").asText(),
                keys.path("secret_access_key").asText(),
                keys.path("session_token").asText());
    }

    private static JsonNode root(String answer) {
        return TreeJson.read(answer, e -> unknown("JSON", answer));
    }

    private static BadInputException unknown(String expected, String answer) {
        return new BadInputException(
                "Cannot use the registry: expected %s in its answer, found %s. Is MLFLOW_REGISTRY_URI Unity Catalog's address?"
                        .formatted(expected, MlflowJson.message(answer)));
    }
}
