package org.sparkqlora.checkpoint.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.StalledServer;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class HubModelTest {
    private static final HubId SMALL = new HubId("org/small", "main");
    private static final HubId PINNED = new HubId("org/small", SmallHub.COMMIT);

    /** Of the 100,000 bytes of the hub's weights. */
    private static final int RANGE = 10_000;

    private static final int RANGES = 10;

    @TempDir
    private Path folder;

    private final List<Duration> waits = new ArrayList<>();
    private final Backoff backoff = new Backoff(5, Duration.ofSeconds(1), Duration.ofMinutes(5), waits::add, () -> 0);
    private Path cache;
    private SmallHub hub;

    @BeforeEach
    void start() throws IOException {
        cache = folder.resolve("cache");
        hub = new SmallHub();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void downloadsTheFilesThatMakeUpAModelOnce() throws IOException {
        ModelPlace place = ModelPlace.onHub(SMALL, hub.access(null), ModelCache.at(cache));
        assertThat(place.address()).isEqualTo("hf://org/small@" + SmallHub.COMMIT);

        Path model = place.folder(ModelCache.at(cache));

        try (Stream<Path> files = Files.list(model)) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder("config.json", "tokenizer.json", "model.safetensors");
        }

        assertThat(model.resolve("model.safetensors")).hasBinaryContent(hub.files.get("model.safetensors"));
        hub.requests.clear();
        assertThat(place.folder(ModelCache.at(cache))).isEqualTo(model);
        assertThat(hub.requests).isEmpty();
    }

    @Test
    void aModelThatDoesNotFitOnTheDiskIsNotBegun() {
        hub.claimed.set(1L << 55);

        assertThatThrownBy(() -> anonymous().folder())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("Failed to download model org/small")
                .rootCause()
                .hasMessageStartingWith("Cannot write 108086391.1 GB to " + cache);
        assertThat(hub.requests).noneMatch(request -> request.contains("model.safetensors"));
    }

    @Test
    void asksAgainForTheRangeWhoseConnectionBroke() {
        hub.breaks.set(2);

        Path model = anonymous().folder();

        assertThat(model.resolve("model.safetensors")).hasBinaryContent(hub.files.get("model.safetensors"));
        List<String> ranges = rangesOf("model.safetensors");
        assertThat(ranges).hasSize(RANGES + 2);
        assertThat(Set.copyOf(ranges)).hasSize(RANGES).contains("bytes=0-9999", "bytes=90000-99999");
    }

    @Test
    void goesOnWithWhatAnEarlierProcessLeft() {
        hub.brokenFrom.set(9L * RANGE);
        assertThatThrownBy(() -> anonymous().folder())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to download model org/small@%s from %s; what is here already is kept"
                        .formatted(SmallHub.COMMIT, hub.endpoint()));
        hub.brokenFrom.set(Long.MAX_VALUE);
        hub.requests.clear();

        Path model = anonymous().folder();

        assertThat(model.resolve("model.safetensors")).hasBinaryContent(hub.files.get("model.safetensors"));
        assertThat(rangesOf("model.safetensors"))
                .hasSizeBetween(1, RANGES - 1)
                .contains("bytes=90000-99999")
                .doesNotHaveDuplicates();
        assertThat(hub.requests).noneMatch(request -> request.startsWith("hub") && request.contains("config.json"));
    }

    @Test
    void asksABusyHubAgainWhenTheHubWantsIt() {
        hub.refusals.set(2);

        assertThat(anonymous().folder()).isDirectory();

        assertThat(waits).containsExactly(Duration.ofMillis(7500), Duration.ofMillis(8000));
    }

    @Test
    void aHubThatStaysBusyIsNoFaultOfTheInput() {
        hub.refusals.set(5);

        assertThatThrownBy(() -> anonymous().folder())
                .isInstanceOf(UncheckedIOException.class)
                .hasRootCauseMessage("Failed to read org/small@%s from %s: it answered 429"
                        .formatted(SmallHub.COMMIT, hub.endpoint()));
    }

    @Test
    @Timeout(600)
    void aHubWhoseAnswerStopsIsGivenUpAndTheCacheIsFree() throws IOException {
        try (StalledServer stalled = StalledServer.afterHalfOf("{\"sha\": \"" + SmallHub.COMMIT + "\"}")) {
            HubAccess access = new HubAccess(stalled.address(), null, HubAccess.Network.ONLINE);

            assertThatThrownBy(() -> model(access).folder())
                    .isInstanceOf(UncheckedIOException.class)
                    .hasRootCauseMessage("the answer stopped: no byte came for 1.0 s");
            assertThat(stalled.connections()).isEqualTo(5);
        }

        assertThat(anonymous().folder()).isDirectory();
    }

    @Test
    void isNeverSentFromAnEncryptedAddressToAnother() throws IOException {
        URI from = URI.create("https://hub.example/a/b");

        assertThat(HubClient.redirected(from, "/c")).isEqualTo(URI.create("https://hub.example/c"));
        assertThat(HubClient.redirected(from, "https://store.example/c?d=%20"))
                .isEqualTo(URI.create("https://store.example/c?d=%20"));
        assertThatThrownBy(() -> HubClient.redirected(from, "http://hub.example/c"))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "Failed to read https://hub.example/a/b: expected a redirection to https, found one to http://hub.example");
        for (String none : List.of("file:///etc/passwd", "h t t p", "//")) {
            assertThatThrownBy(() -> HubClient.redirected(from, none))
                    .isInstanceOf(IOException.class)
                    .hasMessage("Failed to read https://hub.example/a/b: it redirects to what is no web address");
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "",
                "huggingface.co",
                "ftp://hub.example",
                "https://",
                "ht tp://hub",
                "https://user:secret@hub.example"
            })
    void anAddressThatIsNoHubIsRefused(String endpoint) {
        assertThatThrownBy(() -> HubAccess.of(Map.of("HF_ENDPOINT", endpoint)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot ask a hub: expected HF_ENDPOINT to be an address such as https://huggingface.co, found another text");
    }

    @Test
    void aTokenOfTwoLinesIsRefusedAndNotShown() {
        assertThatThrownBy(() -> HubAccess.of(Map.of("HF_TOKEN", "hf_secret\nhf_other")))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot ask a hub: expected HF_TOKEN to be of visible characters on one line, found others");
    }

    @Test
    void neverUsesAFileWithAnotherChecksum() {
        hub.isDamaged = true;

        assertThatThrownBy(() -> anonymous().folder())
                .isInstanceOf(UncheckedIOException.class)
                .hasRootCauseMessage(
                        "Failed to download model.safetensors of org/small@%s: expected bytes of checksum %s, found %s"
                                .formatted(
                                        SmallHub.COMMIT,
                                        "7e76f19c9d73bcfda63bba337a1ad01f24cd311038f7598736a510bd92aa233b",
                                        "fe570a3028fc58159749410bcd75781d6a0f59c23f2ab0339b2d84baa79dcdb1"));
    }

    @Test
    void aGatedModelTakesATokenThatGoesNowhereElse() {
        hub.isGated = true;
        assertThatThrownBy(() -> new HubModel(SMALL, hub.access(null), cache).pinned())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot open model org/small@main: %s refuses it (401). Is it private or gated? Then set HF_TOKEN"
                                .formatted(hub.endpoint()));

        assertThat(model(hub.access(SmallHub.TOKEN)).folder()).isDirectory();

        assertThat(hub.requests.stream().filter(request -> request.startsWith("file /model.safetensors")))
                .isNotEmpty()
                .allMatch(request -> request.endsWith("no token"));
    }

    @Test
    void theTokenIsInNoTextOfOurs() {
        hub.isGated = true;
        HubAccess wrong = new HubAccess(hub.endpoint(), "hf_wrong_secret", HubAccess.Network.ONLINE);
        StringWriter text = new StringWriter();
        try (PrintWriter writer = new PrintWriter(text)) {
            assertThatThrownBy(() -> new HubModel(PINNED, wrong, cache).folder())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("May the user of HF_TOKEN read it?")
                    .satisfies(error -> error.printStackTrace(writer));
        }

        assertThat(text.toString()).contains("refuses it (401)").doesNotContain("hf_wrong_secret");
        assertThat(new ModelPlace(PINNED.address(), Map.of(), wrong).toString() + wrong + PINNED)
                .doesNotContain("hf_wrong_secret");
    }

    @Test
    void offlineItUsesWhatIsHereOnly() {
        HubAccess offline = new HubAccess(hub.endpoint(), null, HubAccess.Network.OFFLINE);
        assertThatThrownBy(() -> ModelPlace.onHub(SMALL, offline, ModelCache.at(cache)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot open model org/small@main: expected a copy in %s, since HF_HUB_OFFLINE is set, found none"
                                .formatted(cache));
        Path model =
                ModelPlace.onHub(SMALL, hub.access(null), ModelCache.at(cache)).folder(ModelCache.at(cache));
        hub.requests.clear();

        assertThat(ModelPlace.onHub(SMALL, offline, ModelCache.at(cache)).folder(ModelCache.at(cache)))
                .isEqualTo(model);
        assertThat(hub.requests).isEmpty();
    }

    @Test
    void saysWhatIsNotThere() {
        assertThatThrownBy(() -> new HubModel(new HubId("org/none", "main"), hub.access(null), cache).pinned())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot open model org/none@main: expected it in this folder or on %s, found it in neither"
                        .formatted(hub.endpoint()));
        hub.files.keySet().removeAll(List.of("model.safetensors", "onnx/model.safetensors"));
        assertThatThrownBy(() -> anonymous().folder())
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot open model org/small@%s: expected .safetensors files, found [config.json,"
                                .formatted(SmallHub.COMMIT)
                        + " modeling_small.py, pytorch_model.bin, tokenizer.json]");
    }

    @Test
    void readsHuggingFacesOwnVariables() {
        HubAccess set =
                HubAccess.of(Map.of("HF_ENDPOINT", "https://hub.example/", "HF_TOKEN", " t ", "HF_HUB_OFFLINE", "1"));

        assertThat(set).isEqualTo(new HubAccess("https://hub.example", "t", HubAccess.Network.OFFLINE));
        assertThat(HubAccess.of(Map.of("HF_HUB_OFFLINE", "0")))
                .isEqualTo(new HubAccess("https://huggingface.co", null, HubAccess.Network.ONLINE));
    }

    @Test
    void knowsItsNames() {
        assertThat(HubId.parse("org/name")).contains(new HubId("org/name", "main"));
        assertThat(HubId.parse("org/name@refs/pr/1")).contains(new HubId("org/name", "refs/pr/1"));
        assertThat(HubId.parse("/models/name")).isEmpty();
        assertThat(HubId.parse("name")).isEmpty();
        assertThat(HubId.publicName(PINNED.address())).isEqualTo("org/small");
        assertThat(HubId.publicName("/models/small")).isEqualTo("/models/small");
    }

    private HubModel anonymous() {
        return model(hub.access(null));
    }

    private HubModel model(HubAccess access) {
        return new HubModel(PINNED, access, cache, new HubClient(access, Duration.ofSeconds(1)), backoff, RANGE);
    }

    private List<String> rangesOf(String name) {
        return hub.requests.stream()
                .filter(request -> request.startsWith("file /" + name))
                .map(request -> request.replaceAll(".* range (\\S+), .*", "$1"))
                .toList();
    }
}
