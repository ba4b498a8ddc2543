package org.sparkqlora;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitCallTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.File;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.spark.broadcast.Broadcast;
import org.bytedeco.pytorch.global.torch;

/** The order of the packages, and which library may be used where. */
@AnalyzeClasses(packages = "org.sparkqlora", importOptions = WithoutTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchTests SPARKS_PRIVATE_CLASSES = ArchTests.in(SparkBorder.class);

    private static final String ROOT = "org.sparkqlora.";

    /** Bottom first: a package may use those before it; each name is one package, without those inside it. */
    private static final List<String> PACKAGES = List.of(
            "input",
            "http",
            "storage",
            "data.jinja",
            "data",
            "tokenizer",
            "tokenizer.packing",
            "quant",
            "tensor",
            "tensor.cuda",
            "weights.safetensors",
            "weights.family",
            "weights",
            "weights.gguf",
            "model.loss",
            "model.elementwise",
            "model.generation",
            "model.layout",
            "model.deltanet",
            "model.shared",
            "model.experts",
            "model.adapter",
            "model",
            "optim",
            "objective",
            "checkpoint",
            "checkpoint.hub",
            "train.metrics",
            "train",
            "memory",
            "spark.cluster",
            "spark.blocks",
            "spark.source",
            "spark.prepare",
            "spark.quantize",
            "spark.replica",
            "spark.watch",
            "spark.exchange",
            "spark.speed",
            "spark.job",
            "spark.kryo",
            "spark.check",
            "spark.ui",
            "spark.lineage",
            "spark.mlflow",
            "bigdl",
            "options",
            "run.model",
            "run.output",
            "run.prepare",
            "run.generate",
            "run.evaluate",
            "run.export",
            "run.bench",
            "run.mlflow",
            "run.monitor",
            "run.train",
            "ml",
            "command",
            "command.inspect",
            "command.plan",
            "command.compare",
            "command.bench",
            "command.demo",
            "api",
            "cli");

    /** A package that a reader takes in at one look. */
    private static final int MOST_FILES = 60;

    private static final Set<String> PRODUCTS = Set.of("mm", "mm_out", "linear", "bmm", "bmm_out", "addmm", "addmm_");

    private static final DescribedPredicate<JavaClass> JSON_DOCUMENT = documentIn("Json");

    private static final DescribedPredicate<JavaClass> YAML_DOCUMENT = documentIn("Yaml");

    private static final List<FileMethod> DESTRUCTIVE = List.of(
            new FileMethod(Files.class, "delete|deleteIfExists|move"),
            new FileMethod(File.class, "delete|deleteOnExit|renameTo"),
            new FileMethod(FileSystem.class, "delete|deleteOnExit|rename|truncate|moveFromLocalFile|concat"),
            new FileMethod(FileContext.class, "delete|deleteOnExit|rename|truncate"),
            new FileMethod(FileUtil.class, ".*"));

    @ArchTest
    static void packagesAreSmall(JavaClasses ours) {
        Map<String, Long> files = ours.stream()
                .filter(JavaClass::isTopLevelClass)
                .collect(Collectors.groupingBy(JavaClass::getPackageName, Collectors.counting()));

        assertThat(files).allSatisfy((name, count) -> assertThat(count).as(name).isLessThanOrEqualTo(MOST_FILES));
    }

    @ArchTest
    static void aNameStandsForOneClass(JavaClasses ours) {
        Map<String, List<String>> places = ours.stream()
                .filter(known ->
                        known.isTopLevelClass() && !known.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(
                        JavaClass::getSimpleName, Collectors.mapping(JavaClass::getPackageName, Collectors.toList())));

        assertThat(places)
                .allSatisfy((name, packages) -> assertThat(packages).as(name).hasSize(1));
    }

    @ArchTest
    static final ArchRule packagesUseOnlyThoseBelowThem = classes().should(useOnlyPackagesBelow());

    @ArchTest
    static final ArchRule everyClassHasARoomInThePackageTable = classes()
            .should()
            .resideInAnyPackage(PACKAGES.stream().map(ROOT::concat).toArray(String[]::new));

    @ArchTest
    static final ArchRule jsonIsReadByHandInOneClassADocument = noClasses()
            .that(DescribedPredicate.not(JSON_DOCUMENT))
            .should()
            .dependOnClassesThat(resideInAPackage("com.fasterxml.jackson.."));

    @ArchTest
    static final ArchRule yamlIsReadInOneClassADocument = noClasses()
            .that(DescribedPredicate.not(YAML_DOCUMENT))
            .should()
            .dependOnClassesThat(resideInAnyPackage("org.snakeyaml..", "org.yaml.."));

    @ArchTest
    static final ArchRule libtorchStaysBehindItsBorder =
            onlyIn("org.bytedeco..", "libtorch", "tensor", "weights", "model");

    /** Who multiplies past it is ten times slower in bfloat16 on a processor without instructions for it. */
    @ArchTest
    static final ArchRule matricesAreMultipliedInOnePlace = noClasses()
            .that()
            .resideOutsideOfPackage(inside("tensor"))
            .should()
            .callMethodWhere(DescribedPredicate.describe(
                    "multiplies matrices by libtorch itself",
                    call -> call.getTargetOwner().isEquivalentTo(torch.class)
                            && PRODUCTS.contains(call.getTarget().getName())));

    @ArchTest
    static final ArchRule foreignFunctionsAreCalledInTensor = onlyIn("com.sun.jna..", "JNA", "tensor");

    @ArchTest
    static final ArchRule trainingKnowsNoSpark =
            onlyIn("org.apache.spark..", "Spark", "spark", "bigdl", "options", "run", "ml", "command", "cli");

    @ArchTest
    static final ArchRule hadoopIsForCheckpointsAndJobs = onlyIn(
            "org.apache.hadoop..",
            "Hadoop",
            "storage",
            "checkpoint",
            "spark",
            "bigdl",
            "options",
            "run",
            "ml",
            "command",
            "cli");

    @ArchTest
    static final ArchRule tokenizersComeFromOnePlace = onlyIn("ai.djl..", "DJL", "tokenizer");

    @ArchTest
    static final ArchRule bigDlHasARoomOfItsOwn = onlyIn("com.intel..", "BigDL", "bigdl");

    @ArchTest
    static final ArchRule optionsAreParsedAboveTheWork =
            onlyIn("picocli..", "picocli", "options", "command", "api", "cli");

    @ArchTest
    static final ArchRule librariesOfOthersStayOut = noClasses()
            .should()
            .dependOnClassesThat(
                    resideInAnyPackage("com.google.common..", "com.google.gson..", "org.apache.commons.."));

    @ArchTest
    static final ArchRule namesSayWhatAClassIs =
            noClasses().should().haveNameMatching(".*(Manager|Helper|Helpers|Util|Utils|Impl)(\\$.*)?");

    @ArchTest
    static final ArchRule aProcessIsEndedWhereItBegan = noClasses()
            .that()
            .resideOutsideOfPackage(inside("cli"))
            .and(DescribedPredicate.describe(
                    "have no main method",
                    type -> type.tryGetMethod("main", String[].class).isEmpty()))
            .should()
            .callMethod(System.class, "exit", int.class);

    /** Which keeps them from being removed twice at once. */
    @ArchTest
    static final ArchRule broadcastsAreDestroyedInOnePlace =
            noClasses().that().doNotHaveSimpleName("Broadcasts").should().callMethod(Broadcast.class, "destroy");

    /** Which knows how to take away only what this program made. */
    @ArchTest
    static final ArchRule deletingAndRenamingGoThroughStorage = noClasses()
            .that()
            .resideOutsideOfPackage(inside("storage"))
            .should()
            .callMethodWhere(DescribedPredicate.describe(
                    "deletes, renames or copies over files",
                    call -> DESTRUCTIVE.stream().anyMatch(method -> method.matches(call.getTarget()))));

    private static ArchCondition<JavaClass> useOnlyPackagesBelow() {
        return new ArchCondition<>("use only packages that stand before their own in the table") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                type.getDirectDependenciesFromSelf().stream()
                        .filter(use -> room(use.getTargetClass()) > room(type))
                        .forEach(use -> events.add(SimpleConditionEvent.violated(type, use.getDescription())));
            }
        };
    }

    /** Place in the table; -1 of classes of others. */
    private static int room(JavaClass type) {
        String name = type.getBaseComponentType().getPackageName();
        return name.startsWith(ROOT) ? PACKAGES.indexOf(name.substring(ROOT.length())) : -1;
    }

    private static ArchRule onlyIn(String library, String name, String... packages) {
        String[] rooms =
                List.of(packages).stream().map(ArchitectureTest::inside).toArray(String[]::new);
        return noClasses()
                .that()
                .resideOutsideOfPackages(rooms)
                .should()
                .dependOnClassesThat(resideInAPackage(library))
                .as(name + " is used only in " + String.join(", ", packages));
    }

    private static DescribedPredicate<JavaClass> documentIn(String format) {
        return DescribedPredicate.describe(
                "are one document's reader and writer (*%s)".formatted(format),
                type -> outermost(type).getSimpleName().endsWith(format));
    }

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
    }

    /** A method that may take files away. */
    private record FileMethod(Class<?> owner, String name) {
        boolean matches(CodeUnitCallTarget target) {
            return target.getOwner().isAssignableTo(owner) && target.getName().matches(name);
        }
    }

    private static String inside(String name) {
        return ROOT + name + "..";
    }
}
