package org.sparkqlora.cli.demo;

import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.cli.command.Command;
import org.sparkqlora.cli.command.EvaluateCommand;
import org.sparkqlora.cli.command.GenerateCommand;
import org.sparkqlora.cli.command.TrainCommand;
import org.sparkqlora.options.Arguments;
import org.sparkqlora.options.Console;
import org.sparkqlora.run.TrainingJob;

/** The demo's acts: teach a base, ask it, fine-tune it, ask again. Each is a command that a user could type. */
final class Demo {
    private static final double NANOS = 1e9;
    private static final String LONGEST_ANSWER = "24";

    private final DemoFolder folder;
    private final Console console;

    Demo(DemoFolder folder, Console console) {
        this.folder = folder;
        this.console = console;
    }

    void run() {
        long begin = System.nanoTime();
        folder.writeInputs();
        console.note("1. A tiny Llama learns a toy language, so that its answers mean something");
        teachBase();
        DemoResult before = judge(List.of());
        console.note("%n2. QLoRA on two shards teaches it to speak like a pirate; the base stays frozen in 4 bits");
        fineTune();
        DemoResult after = judge(List.of("--adapter", folder.adapter().toString()));
        report(before, after);
        console.result(DemoModelJson.demonstrated(
                before, after, DemoLanguage.SAMPLE, folder.adapter(), (System.nanoTime() - begin) / NANOS));
    }

    private void teachBase() {
        train(List.of(
                "--method",
                "full",
                "--model",
                folder.untaught().toString(),
                "--data",
                folder.baseData().toString(),
                "--output",
                folder.baseRun().toString(),
                "--max-steps",
                "120",
                "--batch-size",
                "16",
                "--micro-batch-size",
                "8",
                "--learning-rate",
                "4e-3",
                "--schedule",
                "linear",
                "--optimizer",
                "adamw",
                "--max-grad-norm",
                "1"));
    }

    private void fineTune() {
        train(List.of(
                "--model",
                folder.base().toString(),
                "--data",
                folder.tuningData().toString(),
                "--eval-data",
                folder.heldOutData().toString(),
                "--output",
                folder.tuningRun().toString(),
                "--max-steps",
                "60",
                "--batch-size",
                "8",
                "--micro-batch-size",
                "4",
                "--shards",
                "2",
                "--learning-rate",
                "5e-3",
                "--rank",
                "8",
                "--alpha",
                "16"));
    }

    private void train(List<String> options) {
        List<String> all = Arguments.and(options, "--sequence-length", "64");
        TrainCommand command = parsed("train", new TrainCommand(), all);
        new TrainingJob(command.options, TrainingJob.Until.PUBLISHED, console).run();
    }

    /** The loss on held-out facts, and the answer to one question. */
    private DemoResult judge(List<String> adapter) {
        List<String> evaluate = new ArrayList<>(List.of(
                "--model",
                folder.base().toString(),
                "--data",
                folder.heldOutData().toString(),
                "--sequence-length",
                "64"));
        evaluate.addAll(adapter);
        List<String> generate = new ArrayList<>(List.of(
                "--model",
                folder.base().toString(),
                "--prompt",
                DemoLanguage.SAMPLE,
                "--max-new-tokens",
                LONGEST_ANSWER));
        generate.addAll(adapter);
        double loss = parsed("evaluate", new EvaluateCommand(), evaluate)
                .evaluate(console)
                .total()
                .mean();
        return new DemoResult(
                loss,
                parsed("generate", new GenerateCommand(), generate)
                        .answer(text -> {}, console::note)
                        .text());
    }

    /** Fills {@code command} from the options of a line, and shows the line as a user would type it. */
    private <T extends Command> T parsed(String name, T command, List<String> options) {
        List<String> whole = Arguments.and(
                options, "--precision", "fp32", "--model-cache", folder.cache().toString());
        console.note("$ spark-qlora %s %s", name, String.join(" ", quoted(whole)));
        return Arguments.parse(command, whole, Command::check);
    }

    private void report(DemoResult before, DemoResult after) {
        console.note("%n3. What changed, on animals that fine-tuning never saw");
        console.note("   loss      %.3f before, %.3f after", before.loss(), after.loss());
        console.note("   question  %s", DemoLanguage.SAMPLE);
        console.note("   before    %s", before.answer());
        console.note("   after     %s", after.answer());
        console.note("   adapter   %s (PEFT layout)", folder.adapter());
        console.note("%nNext, with a real model from Hugging Face and JSON lines of {\"messages\": [...]}:");
        console.note("   spark-submit --master 'local[*]' --properties-file spark-conf/local.conf"
                + " target/spark-qlora.jar train --model MODEL_FOLDER --data DATA.jsonl --output OUTPUT_FOLDER%n");
    }

    private static List<String> quoted(List<String> words) {
        return words.stream()
                .map(word -> word.contains(" ") ? "'%s'".formatted(word) : word)
                .toList();
    }
}
