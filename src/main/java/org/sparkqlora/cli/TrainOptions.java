package org.sparkqlora.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** All that a training run is told. */
final class TrainOptions {
    @Mixin
    ModelOptions model = new ModelOptions();

    @Mixin
    DataOptions data = new DataOptions();

    @Option(names = "--eval-data", split = ",", paramLabel = "PATH", description = "Held-out examples, as --data.")
    List<String> heldOut = new ArrayList<>();

    @Mixin
    RunOptions run = new RunOptions();

    @Mixin
    AdapterOptions adapter = new AdapterOptions();

    @Mixin
    UpdateOptions update = new UpdateOptions();

    @Mixin
    ExchangeOptions exchange = new ExchangeOptions();

    void check(Problems problems) {
        model.check(problems);
        data.check(problems);
        run.check(problems);
        adapter.check(problems);
        update.check(problems);
    }
}
