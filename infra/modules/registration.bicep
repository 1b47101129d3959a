// One application registration of permissions.json, its presence in the source tenant, and managed identities as its only
// credentials. Its app roles are granted here where it works in the source; in a target, that tenant's administrator consents.

extension microsoftGraphV1

@description('Immutable name by which another deployment finds the registration again.')
param uniqueName string

@description('Its entry of permissions.json.')
param declared object

@description('own or adopted: decides which app roles are needed.')
param sourceMode string

@description('Where Entra may send a browser back to.')
param redirectUris string[]

@description('Object ids of the managed identities that the registration trusts, 20 at most.')
@maxLength(20)
param trusted string[]

var graphAppId = '00000003-0000-0000-c000-000000000000'
var appRoles = declared.appRoles[sourceMode]

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: graphAppId
}

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: declared.displayName
  signInAudience: declared.signInAudience
  requiredResourceAccess: empty(appRoles) ? [] : [
    {
      resourceAppId: graphAppId
      resourceAccess: map(appRoles, appRole => {
        id: appRole.id
        type: 'Role'
      })
    }
  ]
  web: {
    redirectUris: redirectUris
  }
  // Nobody in a target tenant can add a credential to our application there, and act as it.
  servicePrincipalLockConfiguration: {
    isEnabled: true
    allProperties: true
  }
}

// By position, and not by app: where another identity takes the place of one, its credential is written over. One that was named
// after its app would stay, and so would the trust. Writes to one application at once conflict. The first part is read of the
// application, and so waits for it: written out, it failed where both were new (msgraph-bicep-types, issue 301).
@batchSize(1)
resource credentials 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [
  for (principalId, index) in trusted: {
    name: '${application.uniqueName}/managed-identity${index == 0 ? '' : '-${index + 1}'}'
    description: 'The managed identity of an app of Tenantry'
    issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    subject: principalId
    audiences: [
      'api://AzureADTokenExchange'
    ]
  }
]

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for appRole in (declared.grantedInSource ? appRoles : []): {
    appRoleId: appRole.id
    principalId: servicePrincipal.id
    resourceId: graph.id
  }
]

@description('Application (client) id.')
output clientId string = application.appId

@description('Object id of the service principal in the source tenant, to which Azure roles are assigned.')
output principalId string = servicePrincipal.id
