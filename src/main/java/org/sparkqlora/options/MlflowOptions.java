package org.sparkqlora.options;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.mlflow.MlflowAddress;
import org.sparkqlora.spark.mlflow.MlflowExperiment;
import org.sparkqlora.spark.mlflow.RegisteredName;
import picocli.CommandLine.Option;

/** Whether and where a run goes into MLflow. */
@OptionGroup.In(OptionGroup.WATCHING)
public final class MlflowOptions {
    @OptionGroup.Common
    @Option(
            names = "--mlflow",
            arity = "0..1",
            fallbackValue = "",
            paramLabel = "URI",
            description =
                    "Log the run to MLflow at URI, or at MLFLOW_TRACKING_URI. It gets parameters, metrics and the adapter. Name and password or token come from MLFLOW_TRACKING_USERNAME, _PASSWORD and _TOKEN.")
    @Nullable
    String address;

    @Option(
            names = "--mlflow-experiment",
            paramLabel = "NAME",
            description = "Made if it is not there. Default: MLFLOW_EXPERIMENT_NAME, else spark-qlora.")
    @Nullable
    String experiment;

    @Option(
            names = "--run-name",
            paramLabel = "NAME",
            description = "In MLflow and on pages. Default: that of --output.")
    @Nullable
    String runName;

    @Option(
            names = "--register-model",
            paramLabel = "NAME[@ALIAS]",
            description =
                    "Make what the run publishes a version of the model NAME in the registry of --mlflow, such as main.llm.owls@candidate. MLflow opens it as transformers pipeline or python_function.")
    @Nullable
    String registered;

    @Option(
            names = "--mlflow-registry",
            paramLabel = "URI",
            description =
                    "Unity Catalog, where --register-model registers CATALOG.SCHEMA.MODEL: uc:http://host:8080 (MLFLOW_UC_OSS_TOKEN) or databricks-uc (DATABRICKS_HOST, DATABRICKS_TOKEN). Default: MLFLOW_REGISTRY_URI if it is one of them, else the registry of --mlflow.")
    @Nullable
    String registry;

    void check(Problems problems) {
        String name = registered;
        problems.require(
                registry == null || name != null, "--mlflow-registry: expected --register-model with it, found none");
        if (name != null) {
            problems.collect("--register-model", () -> requireName(RegisteredName.parse(name)));
            problems.require(address != null, "--register-model: expected --mlflow with it, found none");
        }

        problems.require(
                experiment == null || address != null, "--mlflow-experiment: expected --mlflow with it, found none");
        if (address != null) {
            problems.collect("--mlflow", this::address);
        }
    }

    /** The experiment, of a server that answers; nothing unless asked for. */
    public Optional<MlflowExperiment> open() {
        if (address == null) {
            return Optional.empty();
        }

        String name =
                experiment != null ? experiment : System.getenv().getOrDefault("MLFLOW_EXPERIMENT_NAME", "spark-qlora");
        return Optional.of(MlflowExperiment.open(address(), name));
    }

    /** The name that the result is registered by; nothing unless asked for. */
    public Optional<RegisteredName> registered() {
        return Optional.ofNullable(registered).map(RegisteredName::parse);
    }

    private Object requireName(RegisteredName name) {
        catalog().ifPresent(found -> name.requireInUnityCatalog());
        return name;
    }

    /** The Unity Catalog that has the registry; nothing where the tracking server has it. */
    public Optional<MlflowAddress> catalog() {
        return MlflowAddress.ofUnityCatalog(Objects.requireNonNullElse(registry, ""), System.getenv());
    }

    private MlflowAddress address() {
        return MlflowAddress.of(Required.value("--mlflow", address), System.getenv());
    }
}
