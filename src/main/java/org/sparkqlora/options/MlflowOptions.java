package org.sparkqlora.options;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.mlflow.MlflowAddress;
import org.sparkqlora.spark.mlflow.MlflowExperiment;
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

    void check(Problems problems) {
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

    private MlflowAddress address() {
        return MlflowAddress.of(Required.value("--mlflow", address), System.getenv());
    }
}
