package org.sparkqlora.spark.mlflow;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.http.WebAddress;
import org.sparkqlora.input.BadInputException;

/**
 * The address and credentials of a tracking server, or of a registry in Unity Catalog.
 *
 * @param server without a slash at its end
 * @param authorization value of the header; null for none
 */
public record MlflowAddress(String server, @Nullable String authorization) {
    private static final String URI_NAME = "MLFLOW_TRACKING_URI";
    private static final String TOKEN = "MLFLOW_TRACKING_TOKEN";
    private static final String USER = "MLFLOW_TRACKING_USERNAME";
    private static final String REGISTRY = "MLFLOW_REGISTRY_URI";
    private static final String UNITY = "uc:";
    private static final String UNITY_TOKEN = "MLFLOW_UC_OSS_TOKEN";
    private static final String DATABRICKS = "databricks-uc";
    private static final String DATABRICKS_HOST = "DATABRICKS_HOST";
    private static final String DATABRICKS_TOKEN = "DATABRICKS_TOKEN";
    private static final String PASSWORD = "MLFLOW_TRACKING_PASSWORD";

    /**
     * As MLflow's own clients read it; a {@link BadInputException} where there is none.
     *
     * @param given instead of the environment's address; may be empty
     */
    public static MlflowAddress of(String given, Map<String, String> environment) {
        String address = given.isEmpty() ? environment.getOrDefault(URI_NAME, "") : given;
        if (address.isEmpty()) {
            throw new BadInputException(
                    "expected the address of a tracking server, found none: give it as --mlflow=http://host:5000 or in "
                            + URI_NAME);
        }

        requireHttp(address);
        String named = authorization(environment);
        String user = URI.create(address).getUserInfo();
        return new MlflowAddress(
                address.replaceFirst("//[^/@]*@", "//").replaceAll("/+$", ""),
                named == null && user != null ? basic(user) : named);
    }

    /**
     * The address of a registry in Unity Catalog, as MLflow's own clients read it; nothing where models are registered with the tracking
     * server.
     *
     * @param given instead of the environment's; may be empty
     */
    public static Optional<MlflowAddress> ofUnityCatalog(String given, Map<String, String> environment) {
        String registry = given.isEmpty() ? environment.getOrDefault(REGISTRY, "") : given;
        if (registry.matches("(uc:)?" + DATABRICKS)) {
            String host = environment.getOrDefault(DATABRICKS_HOST, "");
            String token = environment.get(DATABRICKS_TOKEN);
            if (host.isEmpty() || token == null) {
                throw new BadInputException("expected the workspace in %s and %s for the registry %s, found none"
                        .formatted(DATABRICKS_HOST, DATABRICKS_TOKEN, registry));
            }

            return Optional.of(ofToken(host.contains("://") ? host : "https://" + host, token, DATABRICKS_TOKEN));
        }

        if (registry.startsWith(UNITY)) {
            return Optional.of(ofToken(registry.substring(UNITY.length()), environment.get(UNITY_TOKEN), UNITY_TOKEN));
        }

        if (!given.isEmpty()) {
            throw new BadInputException(
                    "expected a registry such as uc:http://host:8080 or databricks-uc, found %s".formatted(given));
        }

        return Optional.empty();
    }

    private static MlflowAddress ofToken(String server, @Nullable String token, String variable) {
        requireHttp(server);
        if (token != null) {
            requireHeader(token, variable);
        }

        return new MlflowAddress(server.replaceAll("/+$", ""), token == null ? null : "Bearer " + token);
    }

    /** The address without secrets. */
    @Override
    public String toString() {
        return server;
    }

    private static void requireHttp(String address) {
        URI uri = parsed(address)
                .orElseThrow(() ->
                        new BadInputException("expected a URI such as http://host:5000, found text that is none"));
        boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!isHttp || uri.getHost() == null) {
            throw new BadInputException(
                    "expected an address of a tracking server that begins with http:// or https://, found %s. Start one over files or a database with: mlflow server"
                            .formatted(uri.getScheme() == null ? "no scheme" : uri.getScheme() + ":"));
        }
    }

    private static Optional<URI> parsed(String address) {
        try {
            return Optional.of(URI.create(address));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static @Nullable String authorization(Map<String, String> environment) {
        String token = environment.get(TOKEN);
        if (token != null) {
            requireHeader(token, TOKEN);
            return "Bearer " + token;
        }

        String user = environment.get(USER);
        return user == null ? null : basic(user + ":" + environment.getOrDefault(PASSWORD, ""));
    }

    /** Refuses malformed text before Java's client does, whose message would repeat all of it. */
    private static void requireHeader(String token, String variable) {
        if (!WebAddress.isHeader(token)) {
            throw new BadInputException(
                    "expected %s to be of visible characters on one line, found others".formatted(variable));
        }
    }

    private static String basic(String userAndPassword) {
        return "Basic " + Base64.getEncoder().encodeToString(userAndPassword.getBytes(StandardCharsets.UTF_8));
    }
}
