package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.feature.StringIndexer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.Params;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWritable;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.WithoutTests;
import org.sparkqlora.input.BadInputException;

/** The contract of MLlib, for every stage that there is. */
@Tag("spark-line")
class StageContractTest {
    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static List<Class<?>> found;

    /** Looking through all classes takes ten seconds. */
    @BeforeAll
    static void findStages() {
        found = new ClassFileImporter()
                .withImportOption(new WithoutTests()).importPackages("org.sparkqlora").stream()
                        .filter(type -> type.isAssignableTo(Params.class) && !type.isInterface())
                        .<Class<?>>map(JavaClass::reflect)
                        .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                        .toList();
        assertThat(found).hasSizeGreaterThanOrEqualTo(3);
    }

    @BeforeAll
    static void start() throws Exception {
        session = PirateFits.session();
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
        Files.writeString(
                adapter.resolve("config.json"),
                "{\"problem_type\": \"single_label_classification\", \"id2label\": {\"0\": \"a\", \"1\": \"b\"}}");
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    static List<Class<?>> stages() {
        return found;
    }

    @ParameterizedTest
    @MethodSource("stages")
    void uidIsItsOwnUnlessGiven(Class<?> type) throws Exception {
        assertThat(make(type, "mine").uid()).isEqualTo("mine");
        if (!Model.class.isAssignableFrom(type)) { // its uid is that of its estimator
            assertThat(fresh(type).uid()).isNotEqualTo(fresh(type).uid());
        }
    }

    /** That of Spark Connect: one that lacks the constructor would end every lookup of the server. */
    @ParameterizedTest
    @MethodSource("stages")
    void serverFindsIt(Class<?> type) {
        assertThat(Stream.of(Estimator.class, Transformer.class, Evaluator.class)
                        .filter(kind -> kind.isAssignableFrom(type))
                        .flatMap(kind -> ServiceLoader.load(kind).stream())
                        .<Class<?>>map(ServiceLoader.Provider::type))
                .as("META-INF/services")
                .contains(type);
    }

    @ParameterizedTest
    @MethodSource("stages")
    void everyParamIsItsOwnAndExplained(Class<?> type) throws Exception {
        Params stage = make(type, "mine");

        assertThat(stage.params()).isNotEmpty().allSatisfy(param -> {
            assertThat(param.parent()).isEqualTo("mine");
            assertThat(param.doc()).isNotBlank();
            assertThat(stage.getParam(param.name())).isEqualTo(param);
            assertThat(stage.explainParams()).contains(param.name() + ": " + param.doc());
        });
        assertThat(Arrays.stream(stage.params()).map(Param::name)).doesNotHaveDuplicates();
        for (Method method : type.getMethods()) {
            if (Param.class.isAssignableFrom(method.getReturnType()) && method.getParameterCount() == 0) {
                assertThat(stage.params()).contains((Param<?>) method.invoke(stage));
            }
        }

        assertThatThrownBy(() -> stage.getParam("no such param")).hasMessageContaining("no such param");
    }

    @ParameterizedTest
    @MethodSource("stages")
    void defaultsAreDefinedAndNotSet(Class<?> type) throws Exception {
        Params stage = make(type, "mine");

        assertThat(stage.params()).noneMatch(stage::isSet);
        assertThat(stage.params()).anyMatch(stage::hasDefault);
        assertThat(stage.params()).allMatch(param -> stage.isDefined(param) == stage.hasDefault(param));
        assertThat(stage.params())
                .filteredOn(stage::hasDefault)
                .allSatisfy(param -> assertThat(stage.getOrDefault(param)).isNotNull());
    }

    @ParameterizedTest
    @MethodSource("stages")
    void copyHasItsValuesAndTheExtraOnes(Class<?> type) throws Exception {
        Params stage = make(type, "mine");
        Map<String, Object> changed = change(stage);
        Param<Object> first = stage.getParam(changed.keySet().iterator().next());
        Object before = stage.getOrDefault(first);

        Params copy = stage.copy(new ParamMap().put(first, value(first, 1).orElseThrow()));

        assertThat(copy.uid()).isEqualTo("mine");
        assertThat(copy.getClass()).isEqualTo(type);
        assertThat(copy.getOrDefault(copy.getParam(first.name())))
                .isEqualTo(value(first, 1).orElseThrow());
        assertThat(stage.getOrDefault(first)).isEqualTo(before);
        changed.remove(first.name());
        assertThat(values(copy)).containsAllEntriesOf(changed);
    }

    @ParameterizedTest
    @MethodSource("stages")
    void whatIsStoredIsReadBack(Class<?> type) throws Exception {
        Params stage = make(type, "mine");
        Map<String, Object> changed = change(stage);
        String path = folder.resolve(type.getSimpleName()).toString();

        ((MLWritable) stage).write().overwrite().save(path);
        Params read = (Params) type.getMethod("load", String.class).invoke(null, path);

        assertThat(read.uid()).isEqualTo("mine");
        assertThat(values(read)).containsAllEntriesOf(changed);
        assertThat(Stream.of(read.params()).filter(read::isSet)).hasSize(changed.size());
        ((MLWritable) stage).write().overwrite().save(path);
    }

    @ParameterizedTest
    @MethodSource("stages")
    void pathThatIsTakenIsNotSavedTo(Class<?> type) throws Exception {
        String taken = Files.createDirectories(folder.resolve("taken")).toString();

        assertThatThrownBy(() -> ((MLWritable) make(type, "mine")).save(taken))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot save to %s: expected a path that does not exist yet, found one. write().overwrite().save(path) replaces it",
                        taken);
    }

    @ParameterizedTest
    @MethodSource("stages")
    void pathThatHoldsNoSuchStageIsNotLoaded(Class<?> type) throws Exception {
        String none = folder.resolve("none").toString();
        String empty = Files.createDirectories(folder.resolve("empty")).toString();
        String other = folder.resolve("other").toString();
        new StringIndexer().write().overwrite().save(other);
        String name = type.getSimpleName();

        assertThatThrownBy(() -> load(type, none))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot load %s from %s: expected a folder that save wrote, found nothing", name, none);
        assertThatThrownBy(() -> load(type, empty))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot load %s from %s: expected a folder that save wrote, found one without metadata/",
                        name, empty);
        assertThatThrownBy(() -> load(type, other))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot load %s from %s: found org.apache.spark.ml.feature.StringIndexer", name, other);
    }

    /** By the reader, which no reflection wraps exceptions around. */
    private static Object load(Class<?> type, String path) throws Exception {
        return ((MLReader<?>) type.getMethod("read").invoke(null)).load(path);
    }

    private static Params fresh(Class<?> type) throws Exception {
        return (Params) type.getConstructor().newInstance();
    }

    private static Params make(Class<?> type, String uid) throws Exception {
        String adapter = folder.resolve("adapter").toString();
        if (type == QLoraModel.class) {
            return new QLoraModel(uid, adapter);
        }

        if (type == LanguageModelClassificationModel.class) {
            return new LanguageModelClassificationModel(uid, adapter, ModelFolder.labels(adapter));
        }

        return type == LanguageModelRegressionModel.class
                ? new LanguageModelRegressionModel(uid, adapter)
                : (Params) type.getConstructor(String.class).newInstance(uid);
    }

    /** Sets all that is free. */
    private static Map<String, Object> change(Params stage) {
        Map<String, Object> changed = new TreeMap<>();
        for (Param<?> each : stage.params()) {
            Param<Object> param = stage.getParam(each.name());
            value(param, 0).ifPresent(value -> {
                stage.set(param, value);
                changed.put(param.name(), value);
            });
        }

        assertThat(changed).isNotEmpty();
        return changed;
    }

    /** Some value of its type; nothing for a list, and for a word of those that only certain ones are allowed. */
    private static Optional<Object> value(Param<?> param, int more) {
        if (param instanceof IntParam) {
            return Optional.of(3 + more);
        }

        if (param instanceof LongParam) {
            return Optional.of(3L + more);
        }

        if (param instanceof DoubleParam) {
            return Optional.of(0.25 + more);
        }

        if (param instanceof BooleanParam) {
            return Optional.of(more == 0);
        }

        boolean free = List.of("output", "lossCol", "errorCol", "inputCol", "outputCol", "chatTemplate")
                .contains(param.name());
        return free ? Optional.of("value" + more) : Optional.empty();
    }

    private static Map<String, Object> values(Params stage) {
        Map<String, Object> values = new TreeMap<>();
        Arrays.stream(stage.params())
                .filter(stage::isSet)
                .forEach(param -> values.put(param.name(), stage.getOrDefault(param)));
        return values;
    }
}
