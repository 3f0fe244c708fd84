package unit_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/cron"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/pod"
)

// podsOf are the pods of all tiers, which run as the given user.
func podsOf(t *testing.T, user pod.User) map[string]corev1.PodSpec {
	t.Helper()
	ofSite := run(t, frontendProgram(wordpress(func(a *frontend.Args) { a.User = user })))
	server := standalone()
	server.Server.User = user
	ofDatabase := run(t, databaseProgram(server))
	ofTasks := run(t, cronProgram(tasks(func(a *cron.Args) { a.User = user })))
	return map[string]corev1.PodSpec{
		"WordPress": get[appsv1.Deployment](ofSite, "Deployment", frontend.Name).Spec.Template.Spec,
		"MySQL":     get[appsv1.StatefulSet](ofDatabase, "StatefulSet", database.Service).Spec.Template.Spec,
		"tasks":     get[batchv1.CronJob](ofTasks, "CronJob", cron.Name).Spec.JobTemplate.Spec.Template.Spec,
	}
}

func TestPodsRunAsTheirUser(t *testing.T) {
	for tier, spec := range podsOf(t, someUser) {
		is := spec.SecurityContext
		if *is.RunAsUser != 12001 || *is.RunAsGroup != 12002 || *is.FSGroup != 12003 || is.SELinuxOptions.Level != "s0:c123,c456" {
			t.Errorf("%s runs as %+v", tier, is)
		}
	}
}

// What Pod Security asks for stays where the cluster says who the pods run as.
func TestPodsLeaveTheirUserToTheCluster(t *testing.T) {
	for tier, spec := range podsOf(t, pod.User{}) {
		is := spec.SecurityContext
		if is.RunAsUser != nil || is.RunAsGroup != nil || is.FSGroup != nil || is.SELinuxOptions != nil {
			t.Errorf("%s brings its own user: %+v", tier, is)
		}
		if !*is.RunAsNonRoot || is.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s lacks what does not depend on the user: %+v", tier, is)
		}
	}
}
