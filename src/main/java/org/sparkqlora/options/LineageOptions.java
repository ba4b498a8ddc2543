package org.sparkqlora.options;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.http.WebAddress;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.lineage.FileLineage;
import org.sparkqlora.spark.lineage.HttpLineage;
import org.sparkqlora.spark.lineage.LineageFacts.LineageParent;
import org.sparkqlora.spark.lineage.LineageName;
import org.sparkqlora.spark.lineage.LineageSink;
import picocli.CommandLine.Option;

/** Whether and where a run is told to OpenLineage. */
@OptionGroup.In(OptionGroup.WATCHING)
public final class LineageOptions {
    private static final String OPTION = "--lineage";
    private static final String ENDPOINT = "api/v1/lineage";
    private static final String DEFAULT_MILLIS = "5000";
    private static final Pattern MILLIS = Pattern.compile("[1-9]\\d{0,8}");
    private static final String HTTP = "http";
    private static final String URL = "transport.url";

    @Option(
            names = OPTION,
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "PLACE",
            description =
                    "Send OpenLineage events to PLACE: a server, such as http://marquez:5000, or a file on this host. Without a value, where OpenLineage's own settings say: OPENLINEAGE_URL, openlineage.yml or spark.openlineage.transport.*.")
    @Nullable
    String target;

    public boolean isAsked() {
        return target != null;
    }

    public void check(Problems problems) {
        String place = target;
        if (place != null && !place.isEmpty()) {
            problems.collect(OPTION, () -> given(place, Map.of()))
                    .filter(FileLineage.class::isInstance)
                    .map(FileLineage.class::cast)
                    .ifPresent(events -> {
                        problems.requirePlaceForFile(OPTION, events.file());
                        problems.require(
                                events.isOwn(),
                                "%s: Cannot add to %s: expected no file, or one of OpenLineage events, found another",
                                OPTION,
                                events.file());
                    });
        }
    }

    /** The place that events go to, and what they say about the job: as OpenLineage's settings have it. */
    public record Lineage(
            LineageSink sink, LineageName job, @Nullable LineageParent parent) {}

    /**
     * As OpenLineage's settings have it; nothing unless asked for.
     *
     * @param spark settings without the prefix {@code spark.openlineage.}
     * @param job that is named so unless the settings name it
     */
    public Optional<Lineage> open(Map<String, String> spark, String job) {
        return target == null ? Optional.empty() : Optional.of(open(target, System.getenv(), spark, job));
    }

    static Lineage open(String target, Map<String, String> environment, Map<String, String> spark, String job) {
        LineageSettings settings = LineageSettings.of(environment, spark);
        LineageSink sink = target.isEmpty() ? configured(settings) : given(target, environment);
        String named = settings.find("appName").orElse(job);
        String namespace = settings.find("namespace").orElse("default");
        return new Lineage(sink, new LineageName(namespace, named), parent(settings, environment));
    }

    /** A key that a file has for another server is not for this one. */
    private static LineageSink given(String target, Map<String, String> environment) {
        if (target.startsWith(HTTP + "://") || target.startsWith(HTTP + "s://")) {
            Map<String, String> values =
                    new HashMap<>(LineageSettings.ofEnvironment(environment).values());
            values.put(URL, target);
            return http(new LineageSettings(values));
        }

        Location file = Location.parse(target);
        if (!file.isLocal()) {
            throw new BadInputException(
                    "expected an address that begins with http:// or https://, or a file on this host, found %s"
                            .formatted(target));
        }

        return new FileLineage(file.local());
    }

    private static LineageSink configured(LineageSettings settings) {
        String type = settings.find("transport.type").orElse(settings.find(URL).isPresent() ? HTTP : "none");
        return switch (type) {
            case HTTP -> http(settings);
            case "file" ->
                new FileLineage(Path.of(settings.find("transport.location")
                        .orElseThrow(() -> refused("transport.location for a transport of type file", "none"))));
            case "none" ->
                throw refused(
                        "an address in OPENLINEAGE_URL, openlineage.yml or spark.openlineage.transport.url", "none");
            default -> throw refused("a transport of type http or file", type);
        };
    }

    private static BadInputException refused(String expected, String found) {
        return new BadInputException(
                "Cannot send lineage: expected %s, found %s. Or give a place: --lineage=http://host:5000, --lineage=FILE"
                        .formatted(expected, found));
    }

    private static HttpLineage http(LineageSettings settings) {
        String address = settings.find(URL).orElse("");
        URI uri = WebAddress.parse(address)
                .filter(found -> found.getUserInfo() == null)
                .orElseThrow(
                        () -> new BadInputException(
                                "expected an address of OpenLineage such as http://host:5000, without a password (a key goes into OPENLINEAGE_API_KEY), found another text"));
        String path = uri.getPath().replaceAll("^/+|/+$", "");
        String endpoint = path.isEmpty()
                ? settings.find("transport.endpoint").orElse(ENDPOINT).replaceAll("^/+", "")
                : path;
        Map<String, String> headers = new HashMap<>(settings.below("transport.headers."));
        settings.find("transport.auth.apiKey")
                .or(() -> settings.find("transport.auth.api_key"))
                .ifPresent(key -> headers.put("Authorization", "Bearer " + key));
        headers.forEach(LineageOptions::requireHeader);
        return new HttpLineage(uri.resolve("/" + endpoint), headers, patience(settings), Backoff.DEFAULT);
    }

    private static Duration patience(LineageSettings settings) {
        String millis = settings.find("transport.timeoutInMillis").orElse(DEFAULT_MILLIS);
        if (!MILLIS.matcher(millis).matches()) {
            throw refused("transport.timeoutInMillis to be a number of milliseconds", millis);
        }

        return Duration.ofMillis(Long.parseLong(millis));
    }

    private static void requireHeader(String name, String value) {
        if (!WebAddress.isHeader(value)) {
            throw new BadInputException(
                    "Cannot send lineage: expected the header %s to be of visible characters on one line, found others"
                            .formatted(name));
        }
    }

    /** Airflow's provider sets it for jobs of Spark, others in the environment as {@code namespace/job/run}. */
    private static @Nullable LineageParent parent(LineageSettings settings, Map<String, String> environment) {
        LineageParent root = settings.find("rootParentRunId")
                .map(run -> parent(settings, run, "rootParentJob", null))
                .or(() -> ofVariable(environment, "OPENLINEAGE_ROOT_PARENT_ID", null))
                .orElse(null);
        return settings.find("parentRunId")
                .map(run -> parent(settings, run, "parentJob", root))
                .or(() -> ofVariable(environment, "OPENLINEAGE_PARENT_ID", root))
                .orElse(null);
    }

    private static LineageParent parent(
            LineageSettings settings, String run, String job, @Nullable LineageParent root) {
        LineageName name = new LineageName(
                settings.find(job + "Namespace").orElse("default"),
                settings.find(job + "Name").orElse("unknown"));
        return new LineageParent(uuid("spark.openlineage." + job.replace("Job", "RunId"), run), name, root);
    }

    private static Optional<LineageParent> ofVariable(
            Map<String, String> environment, String variable, @Nullable LineageParent root) {
        String value = environment.getOrDefault(variable, "");
        if (value.isEmpty()) {
            return Optional.empty();
        }

        int first = value.indexOf('/');
        int last = value.lastIndexOf('/');
        if (first < 0 || first == last) {
            throw new BadInputException(
                    "Cannot send lineage: expected %s to be namespace/job/run, found %s".formatted(variable, value));
        }

        LineageName job = new LineageName(value.substring(0, first), value.substring(first + 1, last));
        return Optional.of(new LineageParent(uuid(variable, value.substring(last + 1)), job, root));
    }

    private static UUID uuid(String setting, String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new BadInputException(
                    "Cannot send lineage: expected the run in %s to be a UUID, found %s".formatted(setting, text), e);
        }
    }
}
