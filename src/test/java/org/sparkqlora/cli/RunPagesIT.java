package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.history.FsHistoryProvider;
import org.apache.spark.deploy.history.HistoryServer;
import org.apache.spark.deploy.history.HistoryServer$;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.ui.RunPages;
import org.sparkqlora.spark.watch.RunFacts;
import org.sparkqlora.spark.watch.RunWatch;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;
import org.sparkqlora.train.metrics.Straggler;

/** The QLoRA tab in a real Chromium: while an application runs, and in the history server. Pictures stay in target/screenshots. */
@Tag("platform")
@EnabledIf(
        value = "org.sparkqlora.cli.Browser#isThere",
        disabledReason = "no Chromium on the PATH: apt-get install chromium, as .ci/run does")
class RunPagesIT {
    /** The contrast that WCAG asks of text of usual size. */
    private static final double READABLE = 4.5;

    private static final Path PICTURES = Path.of("target", "screenshots");

    @TempDir
    private static Path folder;

    private static Browser browser;
    private static TrainRuns runs;

    @BeforeAll
    static void openBrowser() throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("events"));
        System.setProperty("spark.eventLog.enabled", "true");
        System.setProperty(
                "spark.eventLog.dir", folder.resolve("events").toUri().toString());
        runs = TrainRuns.in(folder);
        browser = Browser.open();
    }

    @AfterAll
    static void stop() throws IOException {
        System.clearProperty("spark.eventLog.enabled");
        System.clearProperty("spark.eventLog.dir");
        Sessions.stop();
        browser.close();
    }

    /** One that is open asks on. */
    @AfterEach
    void leavePage() throws InterruptedException {
        browser.go("about:blank");
    }

    @Test
    void theTabShowsARunThatTrained() throws IOException, InterruptedException {
        CommandRun run = runs.train(folder.resolve("pirate").toString(), "--max-steps", "6");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);

        browser.size(1280, 900);
        browser.go(address());
        browser.await("document.querySelector('#qlora .state.done') != null");

        assertThat(text("#qlora h1")).isEqualTo("pirate");
        assertThat(text("#qlora .state")).contains("Done", "step 6 of 6");
        assertThat(count("#qlora svg[role=img] > title")).isEqualTo(4);
        assertThat(text(".parameters")).contains("lora.rank", "16", "qlora");
        assertThat(count("#qlora .memory .bar")).isEqualTo(1);
        assertThat(lowestContrast()).isGreaterThanOrEqualTo(READABLE);
        assertThat(browser.errors()).isEmpty();
        browser.screenshot(PICTURES.resolve("tab-short-run.png"));
    }

    @Test
    void theReportIsOneFileThatTellsTheSame() throws IOException, InterruptedException {
        Path output = folder.resolve("told/pirate");
        CommandRun run = runs.train(output.toString(), "--max-steps", "6");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        Files.write(
                output.resolve("samples.jsonl"),
                List.of(
                        "{\"step\":0,\"prompt\":\"Where is the <ship>?\",\"text\":\"It is there.\"}",
                        "{\"step\":6,\"prompt\":\"Where is the <ship>?\",\"text\":\"Arr, she be there!\"}"));
        CommandRun again = runs.train(output.toString(), "--max-steps", "6");
        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);

        browser.size(1280, 900);
        browser.go(output.resolve("report.html").toUri().toString());

        assertThat(text("#qlora h1")).isEqualTo("pirate");
        assertThat(count("#qlora svg[role=img] polyline.strong")).isEqualTo(4);
        assertThat(text("#qlora .sample")).contains("Where is the <ship>?", "It is there.", "Arr, she be there!");
        assertThat(text("#qlora"))
                .contains("PeftModel.from_pretrained", "--enable-lora --max-lora-rank 16", "ollama create");
        assertThat(Files.readString(output.resolve("report.html"))).doesNotContain("src=", "<link", "@import", "url(");
        assertThat(browser.errors()).isEmpty();
        browser.screenshot(PICTURES.resolve("report.png"));
        browser.size(360, 740);
        browser.dark();
        assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
                .isLessThanOrEqualTo(360);
        browser.screenshot(PICTURES.resolve("report-phone-dark.png"));
        browser.light();
    }

    @Test
    void aLongRunIsDrawnAgainWhileItGoesOn() throws IOException, InterruptedException {
        RunWatch watch = watch();
        train(watch, 1, 730);
        browser.size(1280, 900);

        browser.go(address());
        browser.await("document.querySelector('#qlora .state').innerText.includes('step 730 of 1,000')");
        browser.screenshot(PICTURES.resolve("tab-live.png"));
        browser.evaluate("document.querySelector('details[data-key=loss]').open = true");
        train(watch, 731, 800);
        browser.await("document.querySelector('#qlora .state').innerText.includes('step 800 of 1,000')");

        assertThat(browser.evaluate("document.querySelector('details[data-key=loss]').open")
                        .asBoolean())
                .isTrue();
        assertThat(text("#qlora")).contains("lost executor 2", "1.8 times as long");
        assertThat(count("#qlora .memory .bar")).isEqualTo(3);
        assertThat(browser.errors()).isEmpty();
    }

    @Test
    void thePageFitsAPhoneAndADarkRoom() throws IOException, InterruptedException {
        train(watch(), 1, 800);
        browser.size(360, 740);
        browser.dark();
        browser.go(address());

        assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
                .as("wider than the screen")
                .isLessThanOrEqualTo(360);
        for (String dark : List.of("body", ".navbar", ".qlora figure")) {
            assertThat(brightness(dark)).as(dark).isLessThan(0.2);
        }

        assertThat(lowestContrast()).isGreaterThanOrEqualTo(READABLE);
        browser.screenshot(PICTURES.resolve("tab-phone-dark.png"));
        browser.size(1280, 900);
        browser.screenshot(PICTURES.resolve("tab-dark.png"));
        browser.light();
        assertThat(browser.errors()).isEmpty();
    }

    @Test
    void theHistoryServerShowsTheSame() throws IOException, InterruptedException {
        Sessions.stop();
        train(watch(), 1, 10);
        train(watch(), 1, 800);
        String application = context().sc().applicationId();
        Sessions.stop();
        Path store = Files.createDirectories(folder.resolve("store"));
        SparkConf conf = new SparkConf()
                .set(
                        "spark.history.fs.logDirectory",
                        folder.resolve("events").toUri().toString())
                .set("spark.history.store.path", store.toString()); // what it keeps goes through a disk
        FsHistoryProvider provider = new FsHistoryProvider(conf);
        HistoryServer server = new HistoryServer(conf, provider, HistoryServer$.MODULE$.createSecurityManager(conf), 0);
        server.initialize();
        server.bind();
        try {
            provider.checkForLogs();
            browser.size(1280, 900);
            browser.go("http://127.0.0.1:%d/history/%s/qlora/".formatted(server.boundPort(), application));

            assertThat(text("#qlora h1")).isEqualTo("docstrings");
            assertThat(text("#qlora .state")).contains("step 800 of 1,000");
            assertThat(text("#qlora")).contains("lost executor 2");
            assertThat(count("#qlora .runs a")).isEqualTo(2);
            assertThat(browser.errors()).isEmpty();
            browser.screenshot(PICTURES.resolve("tab-history.png"));
        } finally {
            leavePage();
            server.stop();
        }
    }

    private static JavaSparkContext context() {
        return Sessions.context("train");
    }

    private static String address() {
        return context().sc().uiWebUrl().get() + "/qlora/";
    }

    private static RunWatch watch() {
        RunFacts facts = new RunFacts(
                "docstrings",
                Map.of("lora.rank", "16", "method", "qlora", "model", "SmolLM2 <135M> & \"co\""),
                1_400_000_000L);
        RunWatch watch = new RunWatch(facts, step -> List.of(), RunPages.of(context()), System::currentTimeMillis);
        watch.started(0, 1000);
        return watch;
    }

    private static void train(RunWatch watch, int first, int last) {
        SplittableRandom random = new SplittableRandom(first);
        for (int step = first; step <= last; step++) {
            watch.computed(List.of(
                    report("executor 1 on host-a", 1_150 + step / 8),
                    report("executor 2 on host-b", 1_120 + step / 9),
                    report("executor 3 on host-c", 1_310 + step / 4)));
            watch.stepDone(step(step, random.nextDouble() - 0.5));
            if (step % 100 == 0) {
                watch.evaluated(step, 2.2 + 1.1 * Math.exp(-step / 200.0));
                watch.checkpointed(step);
            }

            if (step == 300) {
                watch.fault("lost executor 2, its tasks run again: it was killed, most often for memory");
            } else if (step == 420) {
                watch.straggling(new Straggler("executor 3 on host-c", 1.83));
            }
        }
    }

    private static ShardReport report(String worker, int mega) {
        ProcessMemory memory = new ProcessMemory((mega - 60) * 1_000_000L, mega * 1_000_000L);
        return new ShardReport(worker, PhaseSeconds.ZERO, memory);
    }

    private static StepMetrics step(int step, double noise) {
        PhaseSeconds tasks = new PhaseSeconds(0.02, step == 1 ? 9 : 0.01, 0.05, 0.04, 3.1 + noise / 3);
        return new StepMetrics(
                step,
                2.1 + 1.2 * Math.exp(-step / 180.0) + noise * 0.5,
                3_000,
                4_096,
                2e-4 * Math.min(1, step / 30.0) * (1 - step / 1100.0),
                OptionalDouble.of(0.4 + 1.5 * Math.exp(-step / 60.0) + Math.abs(noise) * 0.3),
                OptionalDouble.empty(),
                new StepSeconds(tasks, 0.31 + Math.abs(noise) / 4, 0.12),
                Map.of(),
                0);
    }

    /** Of a background, from 0 to 1. */
    private static double brightness(String selector) throws InterruptedException {
        return browser.evaluate(
                        "getComputedStyle(document.querySelector('%s')).backgroundColor.match(/[0-9]+/g).slice(0, 3).reduce((a, b) => a + b / 765, 0)"
                                .formatted(selector))
                .asDouble();
    }

    /** Of all text and what is behind it, as WCAG computes it. */
    private static double lowestContrast() throws IOException, InterruptedException {
        return browser.evaluate(Files.readString(Path.of("src", "test", "resources", "pages", "contrast.js")))
                .asDouble();
    }

    private static String text(String selector) throws InterruptedException {
        return browser.evaluate("document.querySelector('%s').innerText".formatted(selector))
                .asText();
    }

    private static int count(String selector) throws InterruptedException {
        return browser.evaluate("document.querySelectorAll('%s').length".formatted(selector))
                .asInt();
    }
}
