package org.sparkqlora.command.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.sparkqlora.input.ShellWord;
import org.sparkqlora.options.Arguments;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.EvaluateOptions;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.options.Problems;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.evaluate.EvaluationJob;
import org.sparkqlora.run.generate.AnswerJob;
import org.sparkqlora.run.train.TrainingJob;

/** The demo's acts: teach a base, ask it, fine-tune it, ask again. Each is a command that a user could type. */
record Demo(DemoFolder folder, Console console) {
    private static final double NANOS = 1e9;
    private static final String LONGEST_ANSWER = "24";

    /** The summary. */
    String run() {
        long begin = System.nanoTime();
        folder.writeInputs();
        console.note("1. A tiny Llama learns a toy language, so that its answers mean something");
        teachBase();
        DemoResult before = judge(List.of());
        console.note("%n2. QLoRA on two shards teaches it to speak like a pirate; the base stays frozen in 4 bits");
        fineTune();
        DemoResult after = judge(List.of("--adapter", folder.adapter().toString()));
        report(before, after);
        return DemoModelJson.demonstrated(
                before, after, DemoLanguage.SAMPLE, folder.adapter(), (System.nanoTime() - begin) / NANOS);
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
        new TrainingJob(parsed("train", new TrainOptions(), all, TrainOptions::checkAll), console).run();
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
        EvaluateOptions evaluated = parsed("evaluate", new EvaluateOptions(), evaluate, EvaluateOptions::check);
        double loss = new EvaluationJob(evaluated, console).run().total().mean();
        GenerateOptions asked = parsed("generate", new GenerateOptions(), generate, GenerateOptions::check);
        return new DemoResult(
                loss, new AnswerJob(asked, console).answer(text -> {}).text());
    }

    /** Options of a command line, shown as a user would type it. */
    private <T> T parsed(String name, T fresh, List<String> options, BiConsumer<T, Problems> check) {
        List<String> whole = Arguments.and(
                options, "--precision", "fp32", "--model-cache", folder.cache().toString());
        console.note(
                "$ spark-qlora %s %s",
                name, whole.stream().map(ShellWord::quoted).collect(Collectors.joining(" ")));
        return Arguments.parse(fresh, whole, check);
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

    /**
     * The loss and an answer of a model on held-out facts.
     *
     * @param loss over the held-out rows
     * @param answer to the sample question
     */
    record DemoResult(double loss, String answer) {}
}
