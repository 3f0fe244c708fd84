package evidence

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Proof says that an end-to-end test keeps a row of docs/evidence.md.
type Proof struct {
	// Test is the function's name.
	Test string
	// Promise and Title are those of the results that the test keeps.
	Promise int
	Title   string
	// Part is the result's part; empty where it has none. A breakage that a test shows beside the proof itself is of the same row;
	// one with a test of its own has the part "breakage".
	Part string
}

// Breakage is the part of what deliberate breakages show.
const Breakage = "breakage"

// Proofs are all rows and the tests that keep them, from which `make verify PROMISES='...'` takes what to run. A new test that keeps a
// result needs a row here.
var Proofs = []Proof{
	{Test: "TestReplicasSpreadOverNodes", Promise: 1, Title: "replicas spread over nodes and zones"},
	{Test: "TestRequiredSpreadLeavesTheFourthPending", Promise: 1, Title: "required spread", Part: "required"},
	{Test: "TestRollingUpdateFailsNoRequest", Promise: 2, Title: "a rolling update fails no request"},
	{Test: "TestDrainingNodesFailsNoRequest", Promise: 3, Title: "draining nodes fails no request", Part: "draining"},
	{Test: "TestScalingInFailsNoRequest", Promise: 3, Title: "scaling in fails no request", Part: "scaling in"},
	{Test: "TestDeadNodeOfTheDatabaseIsReplaced", Promise: 4, Title: "the database's node dies", Part: "database"},
	{Test: "TestDeadNodeOfTheFrontendIsReplaced", Promise: 4, Title: "a node of the frontend dies", Part: "frontend"},
	{Test: "TestAutoscalerGrowsAndShrinks", Promise: 5, Title: "scaled automatically under load, and back"},
	{Test: "TestNoAcknowledgedWriteIsLost", Promise: 6, Title: "no acknowledged write is lost"},
	{Test: "TestUnflushedWritesAreNoticed", Promise: 6, Title: "no acknowledged write is lost", Part: Breakage},
	{Test: "TestFirstBootIsSafe", Promise: 7, Title: "first boot is safe", Part: "empty volumes"},
	{Test: "TestLateDatabaseIsWaitedFor", Promise: 7, Title: "a late database is waited for", Part: "late database"},
	{Test: "TestLoginHoldsOnEveryPod", Promise: 8, Title: "a login holds on every pod"},
	{Test: "TestKeysOfItsOwnOnEveryPodAreNoticed", Promise: 8, Title: "a login holds on every pod", Part: Breakage},
	{Test: "TestChangedSecretFailsNoRequest", Promise: 8, Title: "a changed Secret fails no request", Part: "changed Secret"},
	{Test: "TestRotatedKeysLogEverybodyOut", Promise: 8, Title: "rotated keys log everybody out and fail no request", Part: "rotation"},
	{Test: "TestHTTPS", Promise: 9, Title: "HTTPS", Part: "edge"},
	{Test: "TestExistingCertificateIsServed", Promise: 9, Title: "an existing certificate is served", Part: "existing Secret"},
	{Test: "TestEdgeIsHard", Promise: 9, Title: "the edge is hard", Part: "hardening, kind traefik"},
	{Test: "TestEdgeIsHard", Promise: 9, Title: "the edge is hard", Part: "hardening, kind ingress"},
	{Test: "TestLoginFloodIsContained", Promise: 9, Title: "a log-in flood is contained", Part: "log-in flood"},
	{Test: "TestCertificatesAreRenewed", Promise: 9, Title: "certificates are renewed", Part: "renewal"},
	{Test: "TestUpgradeFailsNoRequest", Promise: 10, Title: "an upgrade fails no request"},
	{Test: "TestDataSurvivesMistakes", Promise: 11, Title: "data survives mistakes"},
	{Test: "TestSecretsStaySecret", Promise: 12, Title: "secrets stay secret"},
	{Test: "TestPlantedSecretsAreFound", Promise: 12, Title: "secrets stay secret", Part: Breakage},
	{Test: "TestThroughputAndLatency", Promise: 13, Title: "throughput and latency"},
	{Test: "TestThroughputAndLatency", Promise: 13, Title: "throughput against connections", Part: "sweep"},
	{Test: "TestCostOfMoreReplicas", Promise: 14, Title: "cost of more replicas"},
	{Test: "TestPodsHaveNoRights", Promise: 15, Title: "pods have no rights"},
	{Test: "TestNetworkPolicies", Promise: 16, Title: "the network is closed"},
	{Test: "TestScheduledTasksRun", Promise: 17, Title: "scheduled tasks run"},
	{Test: "TestUpdateOfTheProgramFailsNoRequest", Promise: 18, Title: "an update of this program fails no request"},
	{Test: "TestWhatIsThereIsNotTakenOver", Promise: 19, Title: "what is there already is not taken over"},
	{Test: "TestWhatIsThereIsNotTakenOver", Promise: 19, Title: "what is there already is not taken over", Part: Breakage},
	{Test: "TestKeptSiteComesBack", Promise: 19, Title: "a kept site comes back by names alone", Part: "kept site"},
	{Test: "TestPicturesAreTaken", Promise: 20, Title: "pictures are taken"},
	{Test: "TestSlowClientsAreContained", Promise: 21, Title: "slow clients hold no pod"},
	{Test: "TestSiteIsInstalledOnce", Promise: 22, Title: "the site is installed by the program, once", Part: "once"},
	{Test: "TestNobodyElseInstallsTheSite", Promise: 22, Title: "nobody else installs the site", Part: "nobody else"},
	{Test: "TestChangedPasswordsFailNoRequest", Promise: 23, Title: "changed passwords fail no request"},
	{Test: "TestFailedUpdateLeavesTheOldPassword", Promise: 23, Title: "a failed update leaves the old password working", Part: "failed update"},
	{Test: "TestEveryRevisionCanBeRolledBackTo", Promise: 24, Title: "every kept revision can be rolled back to"},
	{Test: "TestPrivateFilesStayPrivate", Promise: 25, Title: "private files are private"},
	{Test: "TestVisitorIsWhoHeIs", Promise: 26, Title: "the visitor's address is his own"},
	{Test: "TestRequestsAndUpdates", Promise: 27, Title: "requests to itself stay in the pod", Part: "nothing is let out"},
	{Test: "TestRequestsAndUpdates", Promise: 27, Title: "requests to itself stay in the pod", Part: "a stand-in for wordpress.org is let out"},
	{Test: "TestRequestsAndUpdates", Promise: 27, Title: "requests to itself stay in the pod", Part: "every process is busy"},
	{Test: "TestRequestsAndUpdates", Promise: 28, Title: "plugins are updated, and a broken update is taken back"},
	{Test: "TestStorageThatIgnoresFSGroup", Promise: 29, Title: "storage that ignores fsGroup", Part: "owner"},
	{Test: "TestChangedUsersKeepWhatThereIs", Promise: 29, Title: "changed users keep what there is", Part: "changed users"},
	{Test: "TestUsersOfTheCluster", Promise: 29, Title: "users that the cluster sets", Part: "users of the cluster"},
	{Test: "TestFullVolume", Promise: 29, Title: "a full volume", Part: "full volume"},
	{Test: "TestAdministratorWorksInBrowser", Promise: 30, Title: "an administrator works in a browser"},
	{Test: "TestRestartOfTheDatabaseFailsNoRequest", Promise: 31, Title: "a restart of MySQL fails no request"},
	{Test: "TestVisitorsAreLedOverToACache", Promise: 32, Title: "visitors are led over to a cache and back", Part: "on and off"},
	{Test: "TestChangesShowOnEveryPodOfTheCache", Promise: 33, Title: "a change shows at once on every pod of the cache", Part: "change"},
	{Test: "TestEveryKindOfChangeShows", Promise: 33, Title: "a change shows at once on every pod of the cache", Part: "every kind"},
	{Test: "TestKeptPagesOutliveWordPress", Promise: 34, Title: "kept pages outlive WordPress and MySQL", Part: "MySQL stopped"},
	{Test: "TestKeptPagesOutliveWordPress", Promise: 34, Title: "kept pages outlive WordPress and MySQL", Part: "MySQL's network gone"},
	{Test: "TestKeptPagesOutliveWordPress", Promise: 34, Title: "kept pages outlive WordPress and MySQL", Part: "WordPress stopped"},
	{Test: "TestKeptPagesOutliveWordPress", Promise: 34, Title: "kept pages outlive WordPress and MySQL", Part: "WordPress fails"},
	{Test: "TestKeptPagesOutliveWordPress", Promise: 34, Title: "kept pages outlive WordPress and MySQL", Part: "WordPress is slow"},
	{Test: "TestKeptPagesAreFast", Promise: 35, Title: "kept pages are fast", Part: "front page"},
	{Test: "TestManyAddressesAreKept", Promise: 35, Title: "kept pages are fast", Part: "many addresses"},
	{Test: "TestCacheCostsLittle", Promise: 35, Title: "kept pages are fast", Part: "what is not kept"},
	{Test: "TestAdministratorIsFast", Promise: 35, Title: "kept pages are fast", Part: "administrator"},
	{Test: "TestPodsOfTheCacheGoUnnoticed", Promise: 36, Title: "a pod of the cache that goes is not noticed"},
	{Test: "TestVisitorsAreKeptApart", Promise: 37, Title: "nothing of one visitor's is shown to another"},
	{Test: "TestFirstUpIsNearlyAsFastAsApply", Promise: 38, Title: "a first up is nearly as fast as kubectl apply"},
	{Test: "TestSiteIsRestored", Promise: 39, Title: "a backup is restored by one command"},
	{Test: "TestLostSiteComesBack", Promise: 40, Title: "a site that is lost comes back from its backup"},
	{Test: "TestSecondIsRestored", Promise: 41, Title: "any second of the last week is restored"},
	{Test: "TestSiteIsCopied", Promise: 45, Title: "a copy of a site leads to itself, and is quiet"},
	{Test: "TestSiteIsBroughtIn", Promise: 46, Title: "a site from elsewhere is brought in"},
}

// Listed tells whether a test may keep a result. The error says what to add.
func Listed(test string, result Result) error {
	for _, one := range Proofs {
		if one.Test == test && one.Promise == result.Promise && one.Title == result.Title &&
			(one.Part == result.Part || result.Breakage != "") {
			return nil
		}
	}
	return fmt.Errorf("%s keeps a result of promise %d that tests/e2e/evidence/proofs.go does not list: "+
		"add {Test: %q, Promise: %d, Title: %q, Part: %q} below // %d", test, result.Promise, test, result.Promise, result.Title,
		result.Part, result.Promise)
}

// Select finds the rows that a text asks for: numbers of promises and names of rows, which are their titles and parts, separated by
// blanks or commas. The error of an unknown one lists what there is.
func Select(text string) ([]Proof, error) {
	tokens := words(text)
	if len(tokens) == 0 {
		return nil, errors.New("no promise is asked for")
	}
	var chosen []Proof
	var unknown []string
	for len(tokens) > 0 {
		used, found := longest(tokens)
		if used == 0 {
			unknown = append(unknown, strconv.Quote(tokens[0]))
			used = 1
		}
		chosen, tokens = append(chosen, found...), tokens[used:]
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no promise or row is called %s; there are\n%s", strings.Join(unknown, ", "), list())
	}
	return chosen, nil
}

// words of a text, alike however it is written.
func words(text string) []string {
	return strings.Fields(strings.NewReplacer(",", " ", "(", " ", ")", " ").Replace(strings.ToLower(text)))
}

// longest finds the rows that the most of the first words name, and how many words those are.
func longest(tokens []string) (used int, found []Proof) {
	for used := len(tokens); used > 0; used-- {
		for _, one := range Proofs {
			if one.answersTo(tokens[:used]) {
				found = append(found, one)
			}
		}
		if len(found) > 0 {
			return used, found
		}
	}
	return 0, nil
}

func (p Proof) answersTo(tokens []string) bool {
	return slices.ContainsFunc([]string{strconv.Itoa(p.Promise), p.Title, p.Part, p.Title + " " + p.Part}, func(name string) bool {
		return name != Breakage && slices.Equal(words(name), tokens)
	})
}

// list of all rows, one a line.
func list() string {
	var lines []string
	for _, one := range Proofs {
		if one.Part != Breakage {
			lines = append(lines, fmt.Sprintf("%4d  %s", one.Promise, title(Result{Title: one.Title, Part: one.Part})))
		}
	}
	return strings.Join(lines, "\n")
}

// Pattern is what `go test -run` takes to run the tests of these rows and no others.
func Pattern(chosen []Proof) string {
	var names []string
	for _, one := range chosen {
		names = append(names, regexp.QuoteMeta(one.Test))
	}
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}
